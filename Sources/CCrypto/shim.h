/* The low-level SHA-256 functions are marked deprecated, but the EVP route fetches the algorithm anew at each
   message and costs several times the hash itself on the short inputs of a request signature. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/kdf.h>
