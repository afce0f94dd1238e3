"""Games to be watched: what each turn shows, to everybody or to one civilization, and the page that shows it.

Python decides every colour and who sees what (``camera``, ``planes``, ``notes``, ``palette``); the page only paints
(``page``, with the script beside it). A game played to the end is one file (``document``, ``games``).
"""
