/* Octets of one IP packet to a Segment, and back: the common packet only, read and written in C.

   codec.py says what is right. This does the same for IPv4 without IP options, a whole header and right checksums,
   and for numbers that fit their fields; whatever is not that goes to the functions in Python, which were given to
   `use`. So no message and no test of a broken packet is here. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define FIELDS 18
#define HEADERS 40
#define MOST_OPTIONS 40
#define DONT_FRAGMENT 0x4000

/* What Python lends: types, constants, and the functions for all that is not common. */
static PyTypeObject *segment_type, *timestamps_type, *mss_type, *wscale_type;
static PyObject *nop, *sack_ok, *make_mss, *make_wscale;
static PyObject *decode_options, *encode_options, *careful_decode, *careful_encode;
static PyObject *value_name, *shift_name, *no_octets, *no_options;

static inline uint32_t read16(const unsigned char *at) { return (uint32_t)at[0] << 8 | at[1]; }

static inline uint32_t read32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void write16(unsigned char *at, uint32_t value) {
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
}

static inline void write32(unsigned char *at, uint32_t value) {
    write16(at, value >> 16);
    write16(at + 2, value & 0xFFFF);
}

/* The sum of the 16-bit words modulo 65535, an odd octet at the end with a zero behind it. Words are added in
   the machine's own order, four octets at a time, and only the result is turned: the sum does not mind. */
static uint32_t sum_words(const unsigned char *at, Py_ssize_t size) {
    uint64_t sum = 0;
    uint32_t word;
    uint16_t half, probe = 1;
    for (; size >= 4; size -= 4, at += 4) {
        memcpy(&word, at, 4);
        sum += word;
    }
    if (size >= 2) {
        memcpy(&half, at, 2);
        sum += half;
        at += 2;
        size -= 2;
    }
    if (size) {
        unsigned char last[2] = {*at, 0};
        memcpy(&half, last, 2);
        sum += half;
    }
    sum %= 65535;
    return *(unsigned char *)&probe ? ((uint32_t)sum << 8 | (uint32_t)sum >> 8) & 0xFFFF : (uint32_t)sum;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static PyObject *new_timestamps(uint32_t val, uint32_t ecr) {
    PyObject *stamps = timestamps_type->tp_alloc(timestamps_type, 2);
    if (stamps == NULL) return NULL;
    PyObject *first = PyLong_FromUnsignedLong(val), *second = PyLong_FromUnsignedLong(ecr);
    PyTuple_SET_ITEM(stamps, 0, first);
    PyTuple_SET_ITEM(stamps, 1, second);
    if (first == NULL || second == NULL) Py_CLEAR(stamps);
    return stamps;
}

static PyObject *call_with_number(PyObject *function, unsigned long number) {
    PyObject *boxed = PyLong_FromUnsignedLong(number);
    if (boxed == NULL) return NULL;
    PyObject *made = PyObject_CallOneArg(function, boxed);
    Py_DECREF(boxed);
    return made;
}

/* NOP, NOP, timestamps: what nearly every segment has. */
static PyObject *later_options(const unsigned char *at) {
    PyObject *stamps = new_timestamps(read32(at + 4), read32(at + 8));
    if (stamps == NULL) return NULL;
    PyObject *options = PyTuple_Pack(3, nop, nop, stamps);
    Py_DECREF(stamps);
    return options;
}

/* MSS, SACK permitted, timestamps, NOP, window scale: what a SYN of Linux has. */
static PyObject *syn_options(const unsigned char *at) {
    PyObject *mss = call_with_number(make_mss, read16(at + 2));
    PyObject *stamps = mss ? new_timestamps(read32(at + 8), read32(at + 12)) : NULL;
    PyObject *scale = stamps ? call_with_number(make_wscale, at[19]) : NULL;
    PyObject *options = scale ? PyTuple_Pack(5, mss, sack_ok, stamps, nop, scale) : NULL;
    Py_XDECREF(mss);
    Py_XDECREF(stamps);
    Py_XDECREF(scale);
    return options;
}

static PyObject *read_options(const unsigned char *at, Py_ssize_t size) {
    if (size == 0) return Py_NewRef(no_options);
    if (size == 12 && read32(at) == 0x0101080A) return later_options(at);
    if (size == 20 && read16(at) == 0x0204 && read32(at + 4) == 0x0402080A && read32(at + 16) >> 8 == 0x010303)
        return syn_options(at);
    PyObject *octets = PyBytes_FromStringAndSize((const char *)at, size);
    if (octets == NULL) return NULL;
    PyObject *options = PyObject_CallOneArg(decode_options, octets);
    Py_DECREF(octets);
    return options;
}

/* Whether the packet is a common one: all that codec.decode tests before it takes its short way. */
static int is_common(const unsigned char *at, Py_ssize_t size) {
    if (size < HEADERS || at[0] != 0x45 || at[9] != 6) return 0;
    uint32_t total = read16(at + 2), fragment = read16(at + 6), data_at = 20 + (at[32] >> 4) * 4;
    if ((fragment != 0 && fragment != DONT_FRAGMENT) || data_at < HEADERS || data_at > total) return 0;
    if ((Py_ssize_t)total > size || read16(at + 10) == 65535 || read16(at + 36) == 65535) return 0;
    return sum_words(at, 20) == 0 && (sum_words(at + 12, total - 12) + total - 14) % 65535 == 0;
}

static PyObject *decode(PyObject *Py_UNUSED(module), PyObject *packet) {
    if (!PyBytes_CheckExact(packet)) return PyObject_CallOneArg(careful_decode, packet);
    const unsigned char *at = (const unsigned char *)PyBytes_AS_STRING(packet);
    if (!is_common(at, PyBytes_GET_SIZE(packet))) return PyObject_CallOneArg(careful_decode, packet);
    uint32_t total = read16(at + 2), data_at = 20 + (at[32] >> 4) * 4, bits = read16(at + 32);
    const char *payload = (const char *)at + data_at;
    PyObject *df = read16(at + 6) ? Py_True : Py_False;
    PyObject *segment = segment_type->tp_alloc(segment_type, FIELDS);
    if (segment == NULL) return NULL;
    PyObject *values[FIELDS] = {
        PyBytes_FromStringAndSize((const char *)at + 12, 4),
        PyLong_FromLong((long)read16(at + 20)),
        PyBytes_FromStringAndSize((const char *)at + 16, 4),
        PyLong_FromLong((long)read16(at + 22)),
        PyLong_FromUnsignedLong(read32(at + 24)),
        PyLong_FromUnsignedLong(read32(at + 28)),
        PyLong_FromLong((long)(bits & 0x1FF)),
        PyLong_FromLong((long)read16(at + 34)),
        read_options(at + HEADERS, (Py_ssize_t)data_at - HEADERS),
        total > data_at ? PyBytes_FromStringAndSize(payload, total - data_at) : Py_NewRef(no_octets),
        PyLong_FromLong((long)read16(at + 38)),
        PyLong_FromLong(at[8]),
        PyLong_FromLong(at[1]),
        PyLong_FromLong((long)read16(at + 4)),
        Py_NewRef(df),
        PyLong_FromLong((long)(bits >> 9 & 7)),
        Py_NewRef(no_octets),
        PyLong_FromLong(0),
    };
    int failed = 0;
    for (int place = 0; place < FIELDS; place++) {
        PyTuple_SET_ITEM(segment, place, values[place]);
        failed |= values[place] == NULL;
    }
    if (failed) Py_CLEAR(segment);
    return segment;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

/* A whole number from 0 to `most`; -1 for anything else, which is then for Python to judge. */
static int64_t number(PyObject *value, int64_t most) {
    int overflow;
    if (!PyLong_Check(value)) return -1;
    long long found = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow || found < 0 || found > most ? -1 : found;
}

static int64_t attribute(PyObject *option, PyObject *name, int64_t most) {
    PyObject *value = PyObject_GetAttr(option, name);
    if (value == NULL) {
        PyErr_Clear();
        return -1;
    }
    int64_t found = number(value, most);
    Py_DECREF(value);
    return found;
}

static int write_stamps(PyObject *stamps, unsigned char *at) {
    if (Py_TYPE(stamps) != timestamps_type || PyTuple_GET_SIZE(stamps) != 2) return 0;
    int64_t val = number(PyTuple_GET_ITEM(stamps, 0), 0xFFFFFFFF), ecr = number(PyTuple_GET_ITEM(stamps, 1), 0xFFFFFFFF);
    if (val < 0 || ecr < 0) return 0;
    write32(at, (uint32_t)val);
    write32(at + 4, (uint32_t)ecr);
    return 1;
}

/* The common lists of options, as they are read above: how many octets they take, or -1. */
static Py_ssize_t write_common_options(PyObject *options, unsigned char *at) {
    PyObject **items = ((PyTupleObject *)options)->ob_item;
    if (PyTuple_GET_SIZE(options) == 3 && items[0] == nop && items[1] == nop) {
        write32(at, 0x0101080A);
        return write_stamps(items[2], at + 4) ? 12 : -1;
    }
    if (PyTuple_GET_SIZE(options) != 5 || Py_TYPE(items[0]) != mss_type || items[1] != sack_ok) return -1;
    if (items[3] != nop || Py_TYPE(items[4]) != wscale_type) return -1;
    int64_t mss = attribute(items[0], value_name, 65535), shift = attribute(items[4], shift_name, 255);
    if (mss < 0 || shift < 0) return -1;
    write16(at, 0x0204);
    write16(at + 2, (uint32_t)mss);
    write32(at + 4, 0x0402080A);
    write32(at + 16, 0x01030300 | (uint32_t)shift);
    return write_stamps(items[2], at + 8) ? 20 : -1;
}

/* The octets of the options: how many, -1 where Python has to judge the whole segment, -2 with an exception set. */
static Py_ssize_t write_options(PyObject *options, unsigned char *at) {
    if (!PyTuple_Check(options)) return -1;
    if (PyTuple_GET_SIZE(options) == 0) return 0;
    Py_ssize_t size = write_common_options(options, at);
    if (size >= 0) return size;
    PyObject *octets = PyObject_CallOneArg(encode_options, options);
    if (octets == NULL) return -2;
    size = PyBytes_Check(octets) && PyBytes_GET_SIZE(octets) <= MOST_OPTIONS ? PyBytes_GET_SIZE(octets) : -1;
    if (size > 0) memcpy(at, PyBytes_AS_STRING(octets), size);
    Py_DECREF(octets);
    return size;
}

static const struct {
    int place;
    int64_t most;
    int at;
    int size;
} NUMBERS[] = {
    {1, 0xFFFF, 20, 2}, {3, 0xFFFF, 22, 2}, {4, 0xFFFFFFFF, 24, 4}, {5, 0xFFFFFFFF, 28, 4}, {7, 0xFFFF, 34, 2},
    {10, 0xFFFF, 38, 2}, {11, 0xFF, 8, 1}, {12, 0xFF, 1, 1}, {13, 0xFFFF, 4, 2},
};
/* Place in the segment, largest value, place in the headers, octets. */

static int write_numbers(PyObject **fields, unsigned char *headers) {
    for (size_t one = 0; one < sizeof NUMBERS / sizeof NUMBERS[0]; one++) {
        int64_t value = number(fields[NUMBERS[one].place], NUMBERS[one].most);
        unsigned char *at = headers + NUMBERS[one].at;
        if (value < 0) return 0;
        if (NUMBERS[one].size == 4) write32(at, (uint32_t)value);
        else if (NUMBERS[one].size == 2) write16(at, (uint32_t)value);
        else *at = (unsigned char)value;
    }
    return 1;
}

static int is_octets(PyObject *value, Py_ssize_t size) {
    return PyBytes_CheckExact(value) && PyBytes_GET_SIZE(value) == size;
}

static void write_checksum(unsigned char *at, uint32_t sum) { write16(at, (65535 - sum % 65535) % 65535); }

static PyObject *encode(PyObject *Py_UNUSED(module), PyObject *segment) {
    if (Py_TYPE(segment) != segment_type || PyTuple_GET_SIZE(segment) != FIELDS)
        return PyObject_CallOneArg(careful_encode, segment);
    PyObject **fields = ((PyTupleObject *)segment)->ob_item;
    unsigned char headers[HEADERS + MOST_OPTIONS] = {0x45};
    int64_t flags = number(fields[6], 0x1FF), reserved = number(fields[15], 7);
    int64_t flow_label = number(fields[17], 0);
    int df = PyObject_IsTrue(fields[14]);
    if (df < 0) return NULL;
    if (flags < 0 || reserved < 0 || flow_label < 0 || !is_octets(fields[0], 4) || !is_octets(fields[2], 4) ||
        !is_octets(fields[16], 0) || !PyBytes_CheckExact(fields[9]) || !write_numbers(fields, headers))
        return PyObject_CallOneArg(careful_encode, segment);
    Py_ssize_t options = write_options(fields[8], headers + HEADERS);
    if (options == -2) return NULL;
    Py_ssize_t payload = PyBytes_GET_SIZE(fields[9]), total = HEADERS + options + payload;
    if (options < 0 || total > 65535) return PyObject_CallOneArg(careful_encode, segment);
    write16(headers + 2, (uint32_t)total);
    write16(headers + 6, df ? DONT_FRAGMENT : 0);
    headers[9] = 6;
    memcpy(headers + 12, PyBytes_AS_STRING(fields[0]), 4);
    memcpy(headers + 16, PyBytes_AS_STRING(fields[2]), 4);
    write16(headers + 32, 0x5000 + ((uint32_t)options << 10) + ((uint32_t)reserved << 9) + (uint32_t)flags);
    write_checksum(headers + 10, sum_words(headers, 20));
    PyObject *packet = PyBytes_FromStringAndSize(NULL, total);
    if (packet == NULL) return NULL;
    unsigned char *at = (unsigned char *)PyBytes_AS_STRING(packet);
    memcpy(at, headers, HEADERS + options);
    memcpy(at + HEADERS + options, PyBytes_AS_STRING(fields[9]), payload);
    write_checksum(at + 36, sum_words(at + 12, total - 12) + (uint32_t)total - 14);
    return packet;
}

/* --- what Python lends ---------------------------------------------------------------------------------------- */

static PyObject *use(PyObject *Py_UNUSED(module), PyObject *given) {
    PyObject *types[4], *others[8];
    if (!PyArg_ParseTuple(given, "O!O!O!O!OOOOOOOO", &PyType_Type, &types[0], &PyType_Type, &types[1], &PyType_Type,
                          &types[2], &PyType_Type, &types[3], &others[0], &others[1], &others[2], &others[3],
                          &others[4], &others[5], &others[6], &others[7]))
        return NULL;
    PyTypeObject **own_types[] = {&segment_type, &timestamps_type, &mss_type, &wscale_type};
    PyObject **own_others[] = {&nop, &sack_ok, &make_mss, &make_wscale,
                               &decode_options, &encode_options, &careful_decode, &careful_encode};
    for (int one = 0; one < 4; one++) Py_XSETREF(*own_types[one], (PyTypeObject *)Py_NewRef(types[one]));
    for (int one = 0; one < 8; one++) Py_XSETREF(*own_others[one], Py_NewRef(others[one]));
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"decode", decode, METH_O, "The segment in a raw IP packet, or why there is none."},
    {"encode", encode, METH_O, "The IP packet that carries the segment."},
    {"use", use, METH_VARARGS, "Lend types, constants and functions; before the first packet."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_codec", "The common packet, read and written in C.", -1, METHODS,
};

PyMODINIT_FUNC PyInit__codec(void) {
    value_name = PyUnicode_InternFromString("value");
    shift_name = PyUnicode_InternFromString("shift");
    no_octets = PyBytes_FromStringAndSize(NULL, 0);
    no_options = PyTuple_New(0);
    if (value_name == NULL || shift_name == NULL || no_octets == NULL || no_options == NULL) return NULL;
    return PyModule_Create(&MODULE);
}
