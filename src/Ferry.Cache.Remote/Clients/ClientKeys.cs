using System.Buffers.Binary;
using System.Security.Cryptography;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Names of records whose meaning nobody told us: the client's key alone says which one it is. docs/wire/client-keys.md</summary>
internal static class ClientKeys
{
    /// <summary>Stands in the place of a model's fingerprint; SHA-256 of "ferry/opaque-client/1", its first 16 bytes. No model has it.</summary>
    public static readonly UInt128 OpaqueModel = Fingerprint("ferry/opaque-client/1"u8, default);

    /// <summary>The record under which the value of a key is kept: BLAKE3, since every command pays for it, under a domain of its own, so that no chunk hash of a client can name it.</summary>
    /// <param name="salt">The tenant, if the key names one.</param>
    public static KvKey Opaque(ReadOnlySpan<byte> clientKey, string salt = "") => Name("ferry/k2"u8, clientKey, salt);

    /// <summary>As <see cref="Opaque"/>, for values with metadata: whoever finds the record knows that it has some, and need not read it to say so.</summary>
    public static KvKey Noted(ReadOnlySpan<byte> clientKey, string salt) => Name("ferry/m2"u8, clientKey, salt);

    /// <summary>A name in the place of a fingerprint, for what has none. Made once for each model.</summary>
    public static UInt128 Fingerprint(ReadOnlySpan<byte> domain, ReadOnlySpan<byte> name) =>
        BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData([.. domain, .. name]));

    private static KvKey Name(ReadOnlySpan<byte> domain, ReadOnlySpan<byte> clientKey, string salt)
    {
        Span<byte> named = stackalloc byte[domain.Length + KvRecord.MaxClientKeyBytes];
        domain.CopyTo(named);
        clientKey.CopyTo(named[domain.Length..]); // Longer keys were refused before.
        Span<byte> hash = stackalloc byte[Blake3.HashBytes];
        Blake3.Hash(named[..(domain.Length + clientKey.Length)], hash);
        return new KvKey(salt, OpaqueModel, new ChunkHash(hash));
    }
}
