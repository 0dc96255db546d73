// The floor of the serving benchmark: libfcgi answering a constant body of 2 KB from threads, through the same nginx.
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char body[2048];

static void *serve(void *unused) {
    (void)unused;
    FCGX_Request request;
    FCGX_InitRequest(&request, 0, 0);
    while (FCGX_Accept_r(&request) >= 0) {
        char head[128];
        int count = snprintf(head, sizeof head, "Status: 200\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", sizeof body);
        FCGX_PutStr(head, count, request.out);
        FCGX_PutStr(body, sizeof body, request.out);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int count, char **arguments) {
    int threads = count > 1 ? atoi(arguments[1]) : 32;
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"a\":\"", 6);
    memcpy(body + sizeof body - 2, "\"}", 2);
    FCGX_Init();
    pthread_t thread;
    for (int index = 0; index < threads; index++) pthread_create(&thread, NULL, serve, NULL);
    pthread_join(thread, NULL);
    return 0;
}
