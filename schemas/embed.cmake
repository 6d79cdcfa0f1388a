# Writes OUT, a C file that holds each of the files SCHEMAS as an array; the contract is
# worker/avro/embedded.h.
set(text "#include \"avro/embedded.h\"\n")
set(table "")
foreach(schema ${SCHEMAS})
  file(READ ${schema} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  get_filename_component(file ${schema} NAME)
  string(MAKE_C_IDENTIFIER ${file} name)
  string(APPEND text "\nstatic const unsigned char ${name}[] = { ${bytes} };\n")
  string(APPEND table "\t{ \"${file}\", ${name}, sizeof(${name}) },\n")
endforeach()
string(APPEND text "\nconst struct embedded_schema embedded_schemas[EMBEDDED_SCHEMA_COUNT] = {\n${table}};\n")
file(WRITE ${OUT} "${text}")
