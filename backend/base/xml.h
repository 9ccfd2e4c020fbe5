/* xml.h - an XML document in UTF-8, written element by element; texts are made fit for XML.
 *
 * Element and attribute names are ours.  Everything lives in the arena. */
#ifndef BASE_XML_H
#define BASE_XML_H
#include "backend/base/arena.h"

struct xml *xml_new(struct arena *a);
void xml_dtd(struct xml *x, const char *name, const char *public_id, const char *system_id);
void xml_open(struct xml *x, const char *name, const char *ns);         /* ns NULL: the parent's */
void xml_attribute(struct xml *x, const char *name, const char *value);
void xml_text(struct xml *x, const char *text);                         /* of the open element, behind its attributes */
void xml_leaf(struct xml *x, const char *name, const char *text);       /* nothing for NULL or "" */
void xml_close(struct xml *x);
struct blob xml_end(struct xml *x);
#endif
