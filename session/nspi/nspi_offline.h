/* nspi_offline.h - the values of objects in offline address books: those that this endpoint shows. */
#ifndef NSPI_OFFLINE_H
#define NSPI_OFFLINE_H
#include "backend/directory/offline/offline.h"

/* For offline_make.  What somebody of the organization sees who owns nothing in it. */
extern const struct offline_values nspi_offline_values;
#endif
