/* Slices of bytes whose end comes before their beginning, which mypyc (2.4) reports as a SystemError: they are empty.
 *
 * Linked in with `-Wl,--wrap=CPyBytes_GetSlice` (`setup.py`): calls go here, and on to the original. */
#include <Python.h>

#include "CPy.h"

PyObject *__real_CPyBytes_GetSlice(PyObject *bytes, CPyTagged start, CPyTagged end);

static Py_ssize_t place_of(CPyTagged tagged, Py_ssize_t length) {
    Py_ssize_t at = CPyTagged_ShortAsSsize_t(tagged);
    if (at < 0) {
        at += length;
    }
    return at < 0 ? 0 : at > length ? length : at;
}

PyObject *__wrap_CPyBytes_GetSlice(PyObject *bytes, CPyTagged start, CPyTagged end) {
    if (CPyTagged_CheckShort(start) && CPyTagged_CheckShort(end)) {
        Py_ssize_t length = Py_SIZE(bytes);
        if (place_of(end, length) <= place_of(start, length)) {
            return PyBytes_Check(bytes) ? PyBytes_FromStringAndSize(NULL, 0) : PyByteArray_FromStringAndSize(NULL, 0);
        }
    }
    return __real_CPyBytes_GetSlice(bytes, start, end);
}
