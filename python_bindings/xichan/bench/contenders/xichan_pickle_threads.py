"""xichan.channel() between threads of one interpreter, with values pickled by hand."""

from xichan.bench.contenders import xichan_pickle


class XichanPickleThreads(xichan_pickle.XichanPickle):
    name = "xichan-pickle-threads"
    title = "xichan, pickle by hand, threads"
    place = "threads"
