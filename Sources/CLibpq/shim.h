#include <libpq-fe.h>
/* A connection's thread waits for its socket and for an eventfd; Swift's Glibc module does not have the latter. */
#include <sys/eventfd.h>
