"""Which backlog is enough: asked in the words of whoever runs a server, answered by many runs.

Where things are:

    the question    asked.py: in words, as the command line and Python ask it · clients_coming.py: how clients come ·
                    service_times.py: how long the server is busy with each · advice_target.py: what is wanted ·
                    backlog_question.py: all of it, and the scenario that it is
    the answer      backlog_search.py: the smallest backlog that meets it · rules_of_thumb.py: what formulas say beside
    telling it      advice_lines.py: for people · advice_picture.py: as a picture
"""
