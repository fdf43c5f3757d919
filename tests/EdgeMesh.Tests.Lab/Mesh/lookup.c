/* Asks the C library it is linked with for a name, as any program would: lookup NAME prints the addresses, sorted by the library. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct addrinfo hints, *found, *at;
    char text[INET6_ADDRSTRLEN];
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    int error = getaddrinfo(argc > 1 ? argv[1] : "", NULL, &hints, &found);
    if (error) {
        printf("%s\n", error == EAI_NONAME ? "no such name" : gai_strerror(error));
        return 1;
    }
    for (at = found; at; at = at->ai_next) {
        void *address = at->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)at->ai_addr)->sin_addr
                                                 : (void *)&((struct sockaddr_in6 *)at->ai_addr)->sin6_addr;
        printf("%s\n", inet_ntop(at->ai_family, address, text, sizeof text));
    }
    freeaddrinfo(found);
    return 0;
}
