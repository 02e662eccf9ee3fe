/* Reads of attributes with a cache at each place of the code, as CPython's interpreter has them since 3.11.
 *
 * mypyc reads attributes of its own classes directly, and those of all others by a general look-up: through the type's
 * method resolution order and a descriptor. Our values are msgspec structs, which it takes for others, and a request
 * reads 650 of their fields. Here the look-up happens once at each place and type; from then on, as long as nobody has
 * changed the type (its version tag says so), the field is read at its offset. That holds for slots of objects, which
 * a struct's fields are; whatever else an attribute may be takes the general way.
 *
 * Included before each generated file (`setup.py`). The GIL is held wherever this runs.
 */
#if __has_include("CPy.h") && !defined(POINTSMAN_SLOTS_H)
#define POINTSMAN_SLOTS_H

#include <Python.h>
#include <structmember.h>

#include "CPy.h"

typedef struct {
    PyTypeObject *type; /* not owned: a type that dies takes its version with it, and no other gets the same */
    PyObject *name;     /* owned, so that it is itself for as long as it stands here: `getattr(x, name)` has many */
    unsigned int version;
    Py_ssize_t offset;
} SlotPlace;

static PyObject *slot_look_up(PyObject *object, PyObject *name, SlotPlace *place) {
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_getattro == PyObject_GenericGetAttr) {
        PyObject *found = _PyType_Lookup(type, name); /* borrowed; gives the type a version, if it has none */
        if (found != NULL && Py_IS_TYPE(found, &PyMemberDescr_Type)) {
            PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
            if (member->type == T_OBJECT_EX && type->tp_version_tag != 0) {
                Py_INCREF(name);
                Py_XSETREF(place->name, name);
                place->type = type;
                place->version = type->tp_version_tag;
                place->offset = member->offset;
            }
        }
    }
    return PyObject_GetAttr(object, name);
}

static inline PyObject *slot_read(PyObject *object, PyObject *name, SlotPlace *place) {
    PyTypeObject *type = Py_TYPE(object);
    if (likely(type == place->type && type->tp_version_tag == place->version && name == place->name)) {
        PyObject *value = *(PyObject **)((char *)object + place->offset);
        if (likely(value != NULL)) {
            Py_INCREF(value);
            return value;
        }
    }
    return slot_look_up(object, name, place);
}

#undef CPyObject_GetAttr
#define CPyObject_GetAttr(object, name)             \
    ({                                              \
        static SlotPlace place_;                    \
        slot_read((object), (name), &place_);       \
    })

#endif
