"""What is read: pages of HTML that stand by themselves and print well.

lab_page.py      the frame of every page, with its style
markdown_text.py Markdown to HTML
handout_page.py  what a student gets
lesson_page.py   the lesson of a lab
teacher_pages.py the key of a class, and of each student with the reasons
"""
