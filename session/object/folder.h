/* folder.h - an open folder. */
#ifndef OBJECT_FOLDER_H
#define OBJECT_FOLDER_H
#include "session/object/object.h"
struct obj_folder { uint64_t fid; uint8_t open_flags; };
#endif
