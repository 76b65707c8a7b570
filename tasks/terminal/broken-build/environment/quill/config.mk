# settings of the build
ROOT     = /home/mirek/work/quill-0.3
CC       = gcc
AR       = ar
CFLAGS   = -std=c11 -O1 -g -Wall -Wextra -D_DEFAULT_SOURCE
CPPFLAGS = -I$(ROOT)/include -Ibuild/gen
DATADIR  = $(ROOT)/data
