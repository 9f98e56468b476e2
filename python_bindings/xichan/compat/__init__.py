"""Interfaces of other libraries on top of xichan: code written for them runs with a different import."""
