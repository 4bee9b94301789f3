"""What a scenario file may say, and what is said of its mistakes.

Where things are:

    reading         load_scenario.py: from a name or a file to a scenario and its runs, or to all that is wrong ·
                    toml_text.py: TOML within limits, and the lines of keys ·
                    time_settings.py: times from outside have a unit ·
                    setting_paths.py: `server.backlog`, put into the tables
                    · scenario_text.py: tables as the text of a file · missing_sysctls.py: what a kernel given
                    on the command line does not have
    the tables      scenario_file.py: server, clients, variants · links/: what a link does to packets ·
                    host_settings.py: what every host has · actions.py: what a client can do, word by word ·
                    strict_table.py: what all tables share · written_values.py: times, rates, addresses as a person
                    writes them
    mistakes        consistency.py: what must hold between tables · validation_errors.py: what pydantic finds, said
                    for people · problems.py: how one is said: place, what is there, what is right
    told of itself  key_reference.py: every table and key · schema.py: the JSON Schema
"""
