"""The connections of a capture, and what became of each.

what is kept    flow_life.py: fields of a connection and of its two ends
what fills it   flow_collection.py: which segment belongs to which · follow_segments.py: what a segment changes
all of it       survey.py: a capture, read once · flow_segments.py: the segments of some connections, read once more
what it means   flow_fate.py: refused, unanswered, reset, closed, open; remarks
"""
