using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Names of records whose meaning nobody told us: the client's key alone says which one it is. docs/wire/client-keys.md</summary>
internal static class ClientKeys
{
    /// <summary>Stands in the place of a model's fingerprint; SHA-256 of "ferry/opaque-client/1", its first 16 bytes. No model has it.</summary>
    public static readonly UInt128 OpaqueModel = Fingerprint("ferry/opaque-client/1"u8, default);

    /// <summary>The record under which the value of a key is kept: SHA-256 under a domain of its own, so that no chunk hash of a client can name it.</summary>
    /// <param name="salt">The tenant, if the key names one.</param>
    public static KvKey Opaque(ReadOnlySpan<byte> clientKey, string salt = "") => new(salt, OpaqueModel, new ChunkHash(Digest("ferry/client-key/1\0"u8, clientKey)));

    /// <summary>As <see cref="Opaque"/>, for values with metadata: whoever finds the record knows that it has some, and need not read it to say so.</summary>
    public static KvKey Noted(ReadOnlySpan<byte> clientKey, string salt) => new(salt, OpaqueModel, new ChunkHash(Digest("ferry/client-key-with-metadata/1\0"u8, clientKey)));

    /// <summary>A name in the place of a fingerprint, for what has none.</summary>
    public static UInt128 Fingerprint(ReadOnlySpan<byte> domain, ReadOnlySpan<byte> name) =>
        BinaryPrimitives.ReadUInt128BigEndian(Digest(domain, name));

    private static byte[] Digest(ReadOnlySpan<byte> domain, ReadOnlySpan<byte> bytes)
    {
        var joined = ArrayPool<byte>.Shared.Rent(domain.Length + bytes.Length);
        try
        {
            domain.CopyTo(joined);
            bytes.CopyTo(joined.AsSpan(domain.Length));
            return SHA256.HashData(joined.AsSpan(0, domain.Length + bytes.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
    }
}
