package training

const nonblock = 0 // there are no pipes with names
