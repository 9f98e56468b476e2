"""python -m xichan top: what the channels, workers and waiting calls of a process do, also of one that hangs.

Every process keeps a page, a memory file that other processes of the same user can read (docs/reference/page.md):

* layout: where each field is;
* page: finds the page of a process, verifies it, and reads it;
* model: what was read, as records, and the rates between two reads;
* text: the tables of ``--once``; app: the live tables, which need textual.
"""
