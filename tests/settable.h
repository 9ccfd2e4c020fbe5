/* settable.h - the properties of an address-book object that can be set, for tests that go through all of them. */
#ifndef TESTS_SETTABLE_H
#define TESTS_SETTABLE_H
#include "backend/mapi/proptag.h"

static const uint32_t settable[] = {
#define KEPT(name) name,
#define CERT(name) name,
#define GIVEN(name) name,
#define MADE(name)
#define LINK(name)
#define ABPROP(name, how) how(name)
#include "backend/directory/abprop.def"
#undef KEPT
#undef CERT
#undef GIVEN
#undef MADE
#undef LINK
};
enum { SETTABLE = sizeof settable / sizeof settable[0] };
#endif
