using System.Buffers.Binary;
using System.Text;

namespace Ferry.Router.Prefixes.Sharing;

/// <summary>One message between routers: a prompt's keys were sent to a node. Layout: docs/wire/router-prefixes.md.</summary>
internal sealed record SharedRoute(NodeRole Role, string Node, ulong[] Keys)
{
    private const byte Version = 1;
    private const int HeaderBytes = 8;   // version, role, name bytes (u16), keys (u32)
    private const int MaxNameBytes = 512;

    public static byte[] Encode(NodeRole role, string node, ReadOnlySpan<ulong> keys)
    {
        var nameBytes = Encoding.UTF8.GetByteCount(node);
        var bytes = new byte[HeaderBytes + nameBytes + (keys.Length * sizeof(ulong))];
        bytes[0] = Version;
        bytes[1] = role == NodeRole.Prefill ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), (ushort)nameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), (uint)keys.Length);
        Encoding.UTF8.GetBytes(node, bytes.AsSpan(HeaderBytes));
        for (var index = 0; index < keys.Length; index++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(HeaderBytes + nameBytes + (index * sizeof(ulong))), keys[index]);
        }
        return bytes;
    }

    /// <summary>Null: no such message, of this version.</summary>
    public static SharedRoute? TryDecode(ReadOnlyMemory<byte> message)
    {
        var bytes = message.Span;
        if (bytes.Length < HeaderBytes || bytes[0] != Version || bytes[1] > 1) { return null; }
        int nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        if (nameBytes > MaxNameBytes || count > PromptKeys.MaxBlocks || bytes.Length != HeaderBytes + nameBytes + (count * sizeof(ulong))) { return null; }
        var keys = new ulong[count];
        for (var index = 0; index < keys.Length; index++)
        {
            // 0 means "no entry" in the index: nobody sends it in good faith.
            keys[index] = Math.Max(1, BinaryPrimitives.ReadUInt64LittleEndian(bytes[(HeaderBytes + nameBytes + (index * sizeof(ulong)))..]));
        }
        return new SharedRoute(bytes[1] == 0 ? NodeRole.Prefill : NodeRole.Decode, Encoding.UTF8.GetString(bytes.Slice(HeaderBytes, nameBytes)), keys);
    }
}
