using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Ferry.Transfer.Nixl;

/// <summary>Metadata blobs, transfer descriptor lists and notifications of NIXL 0.6 to 1.4 (docs/wire/nixl.md).</summary>
/// <remarks>Decoders are total: whatever the bytes, they answer with a value or with what is wrong and where. What they decode they encode to the same bytes.</remarks>
public static class NixlCodec
{
    private const string MemorySection = "MemSection";
    private const string RegisteredList = "nixlSDList";
    private const string TransferList = "nixlBDList";

    /// <summary>An empty tag, a length and a bar: the least that a field takes.</summary>
    private const int FieldBytesMin = 9;

    public static byte[] Encode(NixlMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        var writer = new SerDesWriter();
        writer.Text("Agent"u8, metadata.AgentName);
        writer.UInt64("Conns"u8, (ulong)metadata.Connections.Count);
        foreach (var connection in metadata.Connections)
        {
            writer.Text("t"u8, connection.Backend);
            writer.Bytes("c"u8, connection.Info.Span);
        }
        writer.Text(""u8, MemorySection);
        writer.UInt64("nixlSecElms"u8, (ulong)metadata.Sections.Count);
        foreach (var section in metadata.Sections)
        {
            writer.Text("bknd"u8, section.Backend);
            BeginList(writer, RegisteredList, section.MemoryType, section.Regions.Count);
            foreach (var region in section.Regions)
            {
                var bytes = new byte[NixlDescriptor.WireBytes + region.RemoteKey.Length];
                Write(bytes, region.Memory);
                region.RemoteKey.Span.CopyTo(bytes.AsSpan(NixlDescriptor.WireBytes));
                writer.Bytes(""u8, bytes);
            }
        }
        return writer.ToArray();
    }

    /// <summary>Reads a whole blob, or says what is wrong with it.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> blob, NixlLimits limits, [NotNullWhen(true)] out NixlMetadata? metadata, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(limits);
        (metadata, error) = (null, null);
        if (blob.Length > limits.BlobBytesMax)
        {
            error = $"The metadata has {blob.Length} bytes, over the limit of {limits.BlobBytesMax} (BlobBytesMax).";
            return false;
        }
        try
        {
            var reader = new SerDesReader(blob);
            metadata = ReadMetadata(ref reader, limits);
            return true;
        }
        catch (NixlFormatException exception)
        {
            error = $"The metadata is not what NIXL 0.6 to 1.4 write: {exception.Message}.";
            return false;
        }
    }

    public static byte[] Encode(NixlDescriptorList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var writer = new SerDesWriter();
        BeginList(writer, TransferList, list.MemoryType, list.Descriptors.Count);
        var bytes = new byte[list.Descriptors.Count * NixlDescriptor.WireBytes];
        for (var index = 0; index < list.Descriptors.Count; index++)
        {
            Write(bytes.AsSpan(index * NixlDescriptor.WireBytes), list.Descriptors[index]);
        }
        writer.Bytes(""u8, bytes);
        return writer.ToArray();
    }

    /// <summary>Reads a serialized transfer descriptor list, or says what is wrong with it.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> blob, NixlLimits limits, [NotNullWhen(true)] out NixlDescriptorList? list, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(limits);
        (list, error) = (null, null);
        try
        {
            var reader = new SerDesReader(blob);
            var (memoryType, count) = ReadListHead(ref reader, TransferList, limits, NixlDescriptor.WireBytes);
            var bytes = reader.Bytes(""u8, count * NixlDescriptor.WireBytes);
            if (bytes.Length != count * NixlDescriptor.WireBytes)
            {
                throw reader.Wrong($"{count} descriptors in {bytes.Length} bytes");
            }
            reader.End();
            var descriptors = new NixlDescriptor[count];
            for (var index = 0; index < count; index++)
            {
                descriptors[index] = Read(bytes[(index * NixlDescriptor.WireBytes)..]);
            }
            list = new NixlDescriptorList(memoryType, descriptors);
            return true;
        }
        catch (NixlFormatException exception)
        {
            error = $"The descriptor list is not what NIXL 0.6 to 1.4 write: {exception.Message}.";
            return false;
        }
    }

    public static byte[] Encode(NixlNotification notification)
    {
        ArgumentNullException.ThrowIfNull(notification);
        var writer = new SerDesWriter();
        writer.Text("name"u8, notification.AgentName);
        writer.Bytes("msg"u8, notification.Message.Span);
        return writer.ToArray();
    }

    /// <summary>Reads the payload of a notification's active message, or says what is wrong with it.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> payload, NixlLimits limits, [NotNullWhen(true)] out NixlNotification? notification, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(limits);
        (notification, error) = (null, null);
        try
        {
            var reader = new SerDesReader(payload);
            var name = reader.Text("name"u8, limits.NameBytesMax);
            var message = reader.Bytes("msg"u8, limits.NotificationBytesMax).ToArray();
            reader.End();
            notification = new NixlNotification(name, message);
            return true;
        }
        catch (NixlFormatException exception)
        {
            error = $"The notification is not what NIXL 0.6 to 1.4 write: {exception.Message}.";
            return false;
        }
    }

    private static NixlMetadata ReadMetadata(ref SerDesReader reader, NixlLimits limits)
    {
        var name = reader.Text("Agent"u8, limits.NameBytesMax);
        var connections = new NixlConnection[reader.Count("Conns"u8, 2 * FieldBytesMin + 2, limits.ConnectionCountMax)];
        for (var index = 0; index < connections.Length; index++)
        {
            var backend = reader.Text("t"u8, limits.NameBytesMax);
            connections[index] = new NixlConnection(backend, reader.Bytes("c"u8, limits.ConnectionBytesMax).ToArray());
        }
        if (reader.Text(""u8, limits.NameBytesMax) is not MemorySection and var marker)
        {
            throw reader.Wrong($"'{MemorySection}' was due, not '{marker}'");
        }
        var sections = new NixlSection[reader.Count("nixlSecElms"u8, 4 * FieldBytesMin, limits.SectionCountMax)];
        for (var index = 0; index < sections.Length; index++)
        {
            var backend = reader.Text("bknd"u8, limits.NameBytesMax);
            var (memoryType, count) = ReadListHead(ref reader, RegisteredList, limits, FieldBytesMin + NixlDescriptor.WireBytes);
            var regions = new NixlRegion[count];
            for (var region = 0; region < count; region++)
            {
                var bytes = reader.Bytes(""u8, NixlDescriptor.WireBytes + limits.RemoteKeyBytesMax);
                if (bytes.Length < NixlDescriptor.WireBytes)
                {
                    throw reader.Wrong($"a region of {bytes.Length} bytes");
                }
                regions[region] = new NixlRegion(Read(bytes), bytes[NixlDescriptor.WireBytes..].ToArray());
            }
            sections[index] = new NixlSection(backend, memoryType, regions);
        }
        reader.End();
        return new NixlMetadata(name, connections, sections);
    }

    private static (NixlMemoryType MemoryType, int Count) ReadListHead(ref SerDesReader reader, string due, NixlLimits limits, int itemBytesMin)
    {
        if (reader.Text("nixlDList"u8, limits.NameBytesMax) is var kind && kind != due)
        {
            throw reader.Wrong($"a list '{due}' was due, not '{kind}'");
        }
        var memoryType = (NixlMemoryType)reader.Int32("t"u8);
        if (!Enum.IsDefined(memoryType))
        {
            throw reader.Wrong($"memory type {(int)memoryType} is unknown");
        }
        if (reader.IsAt("s"u8))
        {
            throw reader.Wrong("the list has a sort mark, as NIXL up to 0.5 wrote it: the peer needs 0.6 or newer");
        }
        return (memoryType, reader.Count("n"u8, itemBytesMin, limits.DescriptorCountMax));
    }

    private static void BeginList(SerDesWriter writer, string kind, NixlMemoryType memoryType, int count)
    {
        writer.Text("nixlDList"u8, kind);
        writer.Int32("t"u8, (int)memoryType);
        writer.UInt64("n"u8, (ulong)count);
    }

    private static void Write(Span<byte> bytes, in NixlDescriptor descriptor)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, descriptor.Address);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], descriptor.Bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], descriptor.DeviceId);
    }

    private static NixlDescriptor Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]));
}
