using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ferry.Kv.Hashing;

namespace Ferry.Engine.Scheduling;

/// <summary>Hashes of the engine's own prefix cache: SHA-256 chained over full blocks. They never leave the engine.</summary>
/// <remarks>A strong hash, because a collision would give one user's KV to another; hardware SHA makes it cheap.</remarks>
internal static class BlockHash
{
    private const int MaxStackBytes = 1024; // a block of 256 tokens

    /// <summary>The parent of a first block. Different name spaces (tenants) never share a hash.</summary>
    public static ChunkHash Root(string nameSpace)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(nameSpace), hash);
        return new ChunkHash(hash);
    }

    public static ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens)
    {
        Span<byte> message = stackalloc byte[SHA256.HashSizeInBytes + Math.Min(tokens.Length * sizeof(int), MaxStackBytes)];
        if (message.Length < SHA256.HashSizeInBytes + (tokens.Length * sizeof(int)))
        {
            message = new byte[SHA256.HashSizeInBytes + (tokens.Length * sizeof(int))];
        }
        parent.CopyTo(message);
        MemoryMarshal.AsBytes(tokens).CopyTo(message[SHA256.HashSizeInBytes..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(message, hash);
        return new ChunkHash(hash);
    }
}
