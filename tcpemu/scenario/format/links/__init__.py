"""What a link of a scenario may say.

- `link_tables.py`: the link, one direction of it, early detection at its queue, packets that are lost on purpose
"""
