#include "services/matching/engine/kernel.h"

static const struct kernel *const kernels[] = {&kernel_avx512, &kernel_avx2, &kernel_scalar};

const struct kernel *
kernel_best(void)
{
    for (size_t i = 0; i < COUNT_OF(kernels); i++)
        if (kernels[i]->usable())
            return kernels[i];
    return &kernel_scalar;
}

const struct kernel *
kernel_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(kernels); i++)
        if (strcmp(kernels[i]->name, name) == 0)
            return kernels[i]->usable() ? kernels[i] : NULL;
    return NULL;
}
