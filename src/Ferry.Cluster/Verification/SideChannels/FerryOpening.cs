using System.Buffers.Binary;
using System.IO.Hashing;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Ferry.Cluster.Verification.SideChannels;

/// <summary>The first exchange of Ferry's side channel (docs/wire/side-channel.md): Open, answered by a Challenge, which also proves that the owner knows the secret.</summary>
internal static class FerryOpening
{
    private const int HeaderBytes = 32;
    private const int HashedHeaderBytes = 24;
    private const int NonceBytes = 32;
    private const int ProofBytes = 32;
    private const int OpenBytes = 12 + NonceBytes;
    private const int ChallengeBytes = 4 + NonceBytes + ProofBytes;
    private const int PayloadBytesMax = 1026;
    private const byte Version = 2;
    private const byte OpenType = 1;
    private const byte ChallengeType = 2;
    private const byte ControlConnection = 1;
    private const ulong Correlation = 1;

    private static ReadOnlySpan<byte> Magic => "FRRY"u8;

    private static ReadOnlySpan<byte> ServerLabel => "ferry side channel 1 server"u8;

    /// <param name="hasSecret">Whether the cluster's agents have a shared secret.</param>
    /// <returns>What is wrong; empty when a side channel of Ferry answers that agrees about having a secret.</returns>
    /// <exception cref="SocketException">Nobody answers.</exception>
    public static async Task<FerryOpeningReply> AskAsync(string host, int port, bool hasSecret, byte[]? secret, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(host, port, cancellationToken);
        var open = Open(hasSecret);
        await socket.SendAsync(open, cancellationToken);
        var reply = new byte[HeaderBytes + PayloadBytesMax];
        var held = 0;
        while (held < Due(reply.AsSpan(0, held)) && await socket.ReceiveAsync(reply.AsMemory(held), cancellationToken) is var count and > 0)
        {
            held += count;
        }
        return Judge(open, reply.AsSpan(0, held), secret);
    }

    /// <summary>The frame that opens a control connection.</summary>
    internal static byte[] Open(bool hasSecret)
    {
        var frame = new byte[HeaderBytes + OpenBytes];
        var payload = frame.AsSpan(HeaderBytes);
        payload[0] = ControlConnection;
        payload[1] = hasSecret ? (byte)1 : (byte)0;
        RandomNumberGenerator.Fill(payload[12..]);
        Magic.CopyTo(frame);
        frame[4] = Version;
        frame[5] = OpenType;
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(8), Correlation);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(16), OpenBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(HashedHeaderBytes), Checksum(frame, payload));
        return frame;
    }

    internal static FerryOpeningReply Judge(ReadOnlySpan<byte> open, ReadOnlySpan<byte> reply, byte[]? secret)
    {
        if (reply.Length < HeaderBytes || !reply[..4].SequenceEqual(Magic))
        {
            return new(reply.IsEmpty ? "it closed the connection" : "what answers there is no side channel of Ferry", null);
        }
        if (reply[4] != Version)
        {
            return new($"it speaks version {reply[4]} of the side channel, this Ferry version {Version}", null);
        }
        var payloadBytes = BinaryPrimitives.ReadUInt32LittleEndian(reply[16..]);
        if (payloadBytes > PayloadBytesMax || reply.Length < HeaderBytes + (int)payloadBytes)
        {
            return new("its frame is cut", null);
        }
        var payload = reply.Slice(HeaderBytes, (int)payloadBytes);
        if (BinaryPrimitives.ReadUInt64LittleEndian(reply[HashedHeaderBytes..]) != Checksum(reply, payload))
        {
            return new("its frame's checksum is wrong", null);
        }
        if (BinaryPrimitives.ReadUInt16LittleEndian(reply[6..]) != 0)
        {
            return new(payload.Length > 2 ? HttpAnswers.Shorten(Encoding.UTF8.GetString(payload[2..])).TrimEnd('.') : "it refuses the opening", null);
        }
        if (reply[5] != ChallengeType || payload.Length != ChallengeBytes)
        {
            return new($"it answers the opening with frame {reply[5]}", null);
        }
        return new("", secret is null ? null : IsProven(secret, open[HeaderBytes..], payload));
    }

    /// <summary>The owner's proof: an HMAC of the opening and its own nonce under its label.</summary>
    private static bool IsProven(byte[] secret, ReadOnlySpan<byte> open, ReadOnlySpan<byte> challenge)
    {
        byte[] transcript = [.. ServerLabel, .. open, .. challenge.Slice(4, NonceBytes)];
        return CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, transcript), challenge[(4 + NonceBytes)..]);
    }

    /// <summary>Bytes of the whole frame, as far as its header says.</summary>
    private static int Due(ReadOnlySpan<byte> reply) =>
        reply.Length < HeaderBytes ? HeaderBytes : HeaderBytes + (int)Math.Min(PayloadBytesMax, BinaryPrimitives.ReadUInt32LittleEndian(reply[16..]));

    private static ulong Checksum(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> payload) =>
        XxHash3.HashToUInt64(payload, unchecked((long)XxHash3.HashToUInt64(frame[..HashedHeaderBytes])));
}
