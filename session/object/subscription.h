/* subscription.h - a Notification Subscription object: what it asks for.  What is matched against events stands in the header (watch.h), under the same
 * handle. */
#ifndef OBJECT_SUBSCRIPTION_H
#define OBJECT_SUBSCRIPTION_H
#include "session/object/object.h"
struct obj_subscription { uint16_t types; bool whole; uint64_t fid, mid; };
#endif
