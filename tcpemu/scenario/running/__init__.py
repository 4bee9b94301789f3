"""A scenario's run: the network that is built, the programs on it, what came of it.

Where things are:

    building        build.py: from a scenario to a network, and the run · start_times.py: when clients start ·
                    reckoned_size.py: how much memory it will take ·
                    link_conditions.py: what a link's table makes of it ·
                    collector_off.py: without the garbage collector ·
                    worker_process.py: in processes that work for another
    its programs    client.py: does the actions, one by one · server.py: listens, accepts, answers ·
                    bare_syns.py: floods · payload.py: what is sent · option_values.py: options as a scenario
                    writes them
    outcome         result.py: record, clients, accepted connections · summary.py: in a few numbers
    several runs    variations.py: each with another kernel or setting
"""
