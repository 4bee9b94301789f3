"""The emulated host in the place of the real one: it is given the other side's packets at their times.

what there is       listen_path.py: handshakes at one server, in order, as that server saw them
numbers             translated_numbers.py: the real host's numbers, timestamps and cookies as the emulated ones
one try             supposed_settings.py: kernel and settings that are supposed · listen_replay.py: what the host does
with them, and how many unseen events it takes for the capture to be so
known beforehand    known_settings.py: what nstat, ss and sysctl print
its programs        program_conduct.py: when they accept and read, and what happened there
all of one host     answering_host.py: what Linux would have answered, its programs doing what they were seen to do
one end alone       speaking_replay.py: its SYNs and repeats by its timers, its window by its program
the best of them    explanation_search.py: the cheapest explanation, and what each other value would cost
"""
