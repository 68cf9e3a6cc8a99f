using System.Buffers.Binary;
using System.Security.Cryptography;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.SideChannel;

/// <summary>Opening of a connection, and the proof by both ends that they know the shared secret (docs/wire/side-channel.md).</summary>
/// <remarks>
/// Each end answers the other's fresh nonce with an HMAC-SHA256 over the whole opening, under its own label, so that an answer can neither
/// be replayed nor reflected. The proof guards the opening, not the bytes after it: on a network that is not trusted, use TLS as well.
/// </remarks>
internal static class ConnectionProof
{
    public const int NonceBytes = 32;
    public const int ProofBytes = HMACSHA256.HashSizeInBytes;
    public const int OpenBytes = 12 + NonceBytes;
    public const int ChallengeBytes = 4 + NonceBytes + ProofBytes;

    /// <summary>Nothing before the proof is longer, except a refusal's text.</summary>
    public const int PayloadBytesMax = 2 + SideChannelCodec.TextBytesMax;

    private static readonly byte[] ServerLabel = "ferry side channel 1 server"u8.ToArray();
    private static readonly byte[] ClientLabel = "ferry side channel 1 client"u8.ToArray();

    public static byte[] EncodeOpen(ConnectionKind kind, bool hasSecret, ulong sessionId, ReadOnlySpan<byte> nonce)
    {
        var payload = new byte[OpenBytes];
        payload[0] = (byte)kind;
        payload[1] = hasSecret ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt64LittleEndian(payload.AsSpan(4), sessionId);
        nonce.CopyTo(payload.AsSpan(12));
        return payload;
    }

    public static bool TryDecodeOpen(ReadOnlySpan<byte> payload, out ConnectionKind kind, out bool hasSecret, out ulong sessionId)
    {
        var reader = new WireReader(payload);
        kind = (ConnectionKind)reader.Byte();
        var secret = reader.Byte();
        var reserved = reader.UInt16();
        sessionId = reader.UInt64();
        reader.Bytes(NonceBytes);
        hasSecret = secret == 1;
        return reader.IsComplete && reserved == 0 && secret <= 1 && kind switch
        {
            ConnectionKind.Control => sessionId == 0,
            ConnectionKind.Data => sessionId != 0,
            _ => false,
        };
    }

    /// <param name="open">The payload of Open, to which the server's proof answers.</param>
    public static byte[] EncodeChallenge(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> open, ReadOnlySpan<byte> nonce)
    {
        var payload = new byte[ChallengeBytes];
        payload[0] = secret.IsEmpty ? (byte)0 : (byte)1;
        nonce.CopyTo(payload.AsSpan(4));
        if (!secret.IsEmpty)
        {
            Prove(secret, ServerLabel, open, nonce, payload.AsSpan(4 + NonceBytes));
        }
        return payload;
    }

    public static bool TryDecodeChallenge(ReadOnlySpan<byte> payload, out bool hasSecret, out ReadOnlySpan<byte> nonce)
    {
        hasSecret = false;
        nonce = default;
        if (payload.Length != ChallengeBytes || payload[0] > 1 || payload[1..4].ContainsAnyExcept((byte)0))
        {
            return false;
        }
        hasSecret = payload[0] == 1;
        nonce = payload.Slice(4, NonceBytes);
        return true;
    }

    /// <summary>Whether the server that sent this challenge knows the secret.</summary>
    public static bool IsServerProven(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> open, ReadOnlySpan<byte> challenge)
    {
        Span<byte> expected = stackalloc byte[ProofBytes];
        Prove(secret, ServerLabel, open, challenge.Slice(4, NonceBytes), expected);
        return CryptographicOperations.FixedTimeEquals(expected, challenge[(4 + NonceBytes)..]);
    }

    /// <summary>Payload of Prove: zeros without a secret.</summary>
    public static byte[] EncodeProve(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> open, ReadOnlySpan<byte> serverNonce)
    {
        var payload = new byte[ProofBytes];
        if (!secret.IsEmpty)
        {
            Prove(secret, ClientLabel, open, serverNonce, payload);
        }
        return payload;
    }

    /// <summary>Whether the client that sent this proof knows the secret.</summary>
    public static bool IsClientProven(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> open, ReadOnlySpan<byte> serverNonce, ReadOnlySpan<byte> proof) =>
        CryptographicOperations.FixedTimeEquals(EncodeProve(secret, open, serverNonce), proof);

    private static void Prove(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> open, ReadOnlySpan<byte> serverNonce, Span<byte> proof)
    {
        // Every part has a fixed length, so their concatenation has one reading only.
        Span<byte> transcript = stackalloc byte[ServerLabel.Length + OpenBytes + NonceBytes];
        label.CopyTo(transcript);
        open.CopyTo(transcript[label.Length..]);
        serverNonce.CopyTo(transcript[(label.Length + OpenBytes)..]);
        HMACSHA256.HashData(secret, transcript, proof);
    }
}
