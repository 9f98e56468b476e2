"""Interfaces of other libraries on top of xichan, so that code written for them runs with another import."""
