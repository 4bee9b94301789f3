"""The language of scripts: text to records, with the place of everything.

script_tokens.py        the words of a script
token_reader.py         taking them one by one, with definitions, and what was expected
parse_script.py         the whole: options, commands, events and their times, calls
packet_grammar.py       packets · option_grammar.py: their TCP options
expression_grammar.py   arguments and results of calls
drill_script.py         the records
script_mistake.py       a mistake, with the line and a caret
"""
