# A menu; the work is done by scripts/ and CMake.
.PHONY: help run stop check bench format clean

help:
	@echo "make run      build and start everything on this machine (Ctrl-C stops it)"
	@echo "make stop     stop what scripts/run -d started"
	@echo "make check    everything CI runs"
	@echo "make bench    the figures, beside their peers"
	@echo "make format   lay out the C as clang-format decides"
	@echo "make clean    remove build/ (data under .samverka stays)"

run:
	scripts/run

stop:
	scripts/stop

check:
	scripts/test

bench:
	scripts/bench

format:
	git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

clean:
	rm -rf build
