using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using CsCheck;
using Ferry.TestKit;
using Ferry.Transfer.Nixl;
using Xunit;

namespace Ferry.UnitTests.Transfer.Nixl;

/// <summary>Golden bytes of a real NIXL agent (tests/data/nixl), and hostile ones.</summary>
public sealed class NixlCodecTests
{
    private static readonly NixlLimits Limits = new();

    private static readonly byte[] Recorded = ReadRecorded();

    private static readonly NixlMetadata Made = new(
        "ferry-ä",
        [new NixlConnection("UCX", new byte[] { 1, 2, 3 }), new NixlConnection("POSIX", default)],
        [
            new NixlSection("UCX", NixlMemoryType.Dram, [new NixlRegion(new NixlDescriptor(0x1000, 0x2000, 0), new byte[] { 9, 8 }), new NixlRegion(new NixlDescriptor(7, 8, 9), default)]),
            new NixlSection("UCX", NixlMemoryType.Vram, []),
        ]);

    private static readonly NixlDescriptorList List = new(NixlMemoryType.Vram, [new NixlDescriptor(1, 2, 3), new NixlDescriptor(ulong.MaxValue, 5, 6)]);

    private static readonly NixlNotification Notification = new("decoder-0", "cmpl-p-1-0:1"u8.ToArray());

    [Fact]
    public void Metadata_OfARealAgent_DecodesAndReencodesByteIdentical()
    {
        Assert.True(NixlCodec.TryDecode(Recorded, Limits, out NixlMetadata? metadata, out var error), error);

        Assert.Equal("nixl-peer", metadata.AgentName);
        var connection = Assert.Single(metadata.Connections);
        Assert.Equal(("UCX", 48), (connection.Backend, connection.Info.Length));
        Assert.Same(connection, metadata.ConnectionOf(NixlMetadata.UcxBackend));
        var section = Assert.Single(metadata.Sections);
        Assert.Equal(("UCX", NixlMemoryType.Dram), (section.Backend, section.MemoryType));
        var region = Assert.Single(section.Regions);
        Assert.Equal(new NixlDescriptor(0x7f602f000000, 1048576, 0), region.Memory);
        Assert.Equal(9, region.RemoteKey.Length);
        Assert.Equal(Recorded, NixlCodec.Encode(metadata));
    }

    [Fact]
    public void DescriptorList_OfTwo_HasTheBytesOfTheDocumentedForm()
    {
        var expected = "6e69786c5365724465737c" + "6e69786c444c697374" + "0a00000000000000" + "6e69786c42444c697374" + "7c"
            + "74" + "0400000000000000" + "01000000" + "7c" + "6e" + "0800000000000000" + "0200000000000000" + "7c" + "3000000000000000"
            + "010000000000000002000000000000000300000000000000" + "ffffffffffffffff05000000000000000600000000000000" + "7c";
        Assert.Equal(expected, Convert.ToHexStringLower(NixlCodec.Encode(List)));
        Assert.True(NixlCodec.TryDecode(NixlCodec.Encode(List), Limits, out NixlDescriptorList? decoded, out var error), error);
        Assert.Equal(List.Descriptors, decoded.Descriptors);
        Assert.Equal(List.MemoryType, decoded.MemoryType);
    }

    [Fact]
    public void Notification_OfAReader_HasTheBytesOfTheDocumentedForm()
    {
        var expected = "6e69786c5365724465737c" + "6e616d65" + "0900000000000000" + "6465636f6465722d30" + "7c" + "6d7367" + "0c00000000000000" + "636d706c2d702d312d303a31" + "7c";
        Assert.Equal(expected, Convert.ToHexStringLower(NixlCodec.Encode(Notification)));
        Assert.True(NixlCodec.TryDecode(NixlCodec.Encode(Notification), Limits, out NixlNotification? decoded, out var error), error);
        Assert.Equal(Notification.AgentName, decoded.AgentName);
        Assert.Equal(Notification.Message.ToArray(), decoded.Message.ToArray());
    }

    [Fact]
    public void Metadata_OfOlderNixl_IsRefusedWithTheVersionThatIsNeeded()
    {
        var text = Encoding.Latin1.GetString(Recorded);
        var at = text.IndexOf("|n\u0008\0\0\0\0\0\0\0\u0001", text.IndexOf("nixlSDList", StringComparison.Ordinal), StringComparison.Ordinal) + 1;
        var older = Encoding.Latin1.GetBytes(text[..at] + "s\u0001\0\0\0\0\0\0\0\0|" + text[at..]);
        Assert.False(NixlCodec.TryDecode(older, Limits, out NixlMetadata? _, out var error));
        Assert.Contains("0.6 or newer", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Decoders_AnyTruncationOrExtraByte_SayWhatIsWrong()
    {
        foreach (var (encoded, decode) in Decoders())
        {
            for (var bytes = 0; bytes < encoded.Length; bytes++)
            {
                Assert.NotEmpty(decode(encoded[..bytes]) ?? "");
            }
            Assert.NotEmpty(decode([.. encoded, 0]) ?? "");
            Assert.Null(decode(encoded));
        }
    }

    [Fact]
    public void Decoders_HostileBytes_NeverThrowAndWhatTheyTakeTheyGiveBack() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 6], Gen.Byte.Array[0, 200], Gen.Int[0, 4000]).Sample((which, mutations, noise, place) =>
        {
            var (encoded, decode) = Decoders()[which];
            decode(noise);
            decode([.. SerDesWriter.Magic, .. noise]);
            var mutated = encoded.ToArray();
            for (var i = 0; i < mutations && noise.Length > i; i++)
            {
                mutated[(place + i * 7) % mutated.Length] = noise[i];
            }
            decode(mutated); // asserts that an accepted blob re-encodes to itself
        }, iter: 20_000);

    [Fact]
    public void Metadata_AnyThatCanBeMade_RoundTrips() =>
        Gen.Select(
            Gen.String[0, 40], Gen.Select(Gen.String[0, 20], Gen.Byte.Array[0, 60]).Array[0, 4],
            Gen.Select(Gen.String[0, 10], Gen.Enum<NixlMemoryType>(), Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong, Gen.Byte.Array[0, 40]).Array[0, 5]).Array[0, 4])
            .Sample((name, connections, sections) =>
            {
                var metadata = new NixlMetadata(
                    Clean(name), [.. connections.Select(c => new NixlConnection(Clean(c.Item1), c.Item2))],
                    [.. sections.Select(s => new NixlSection(Clean(s.Item1), s.Item2,
                        [.. s.Item3.Select(r => new NixlRegion(new NixlDescriptor(r.Item1, r.Item2, r.Item3), r.Item4))]))]);
                var encoded = NixlCodec.Encode(metadata);
                Assert.True(NixlCodec.TryDecode(encoded, Limits, out NixlMetadata? decoded, out var error), error);
                Assert.Equal(encoded, NixlCodec.Encode(decoded));
                Assert.Equal(metadata.AgentName, decoded.AgentName);
            }, iter: 2_000);

    [Fact]
    public void Metadata_LengthsFarBeyondTheBytes_AllocateNothingForThem()
    {
        foreach (var tag in new[] { "Agent", "Conns", "nixlSecElms", "n" })
        {
            var hostile = Recorded.ToArray();
            var at = Encoding.Latin1.GetString(hostile).LastIndexOf("|" + tag, StringComparison.Ordinal) + 1 + tag.Length;
            BinaryPrimitives.WriteUInt64LittleEndian(hostile.AsSpan(at), ulong.MaxValue);
            AssertRefusedCheaply(hostile);
            hostile = Recorded.ToArray();
            if (tag != "Agent")
            {
                BinaryPrimitives.WriteUInt64LittleEndian(hostile.AsSpan(at + 8), 1_000_000);
                AssertRefusedCheaply(hostile);
            }
        }
        Assert.False(NixlCodec.TryDecode(Recorded, Limits with { BlobBytesMax = 100 }, out NixlMetadata? _, out var error));
        Assert.Contains("BlobBytesMax", error, StringComparison.Ordinal);
    }

    [Fact]
    public void RegionOf_RangesInsideAcrossAndOutside_FindsOnlyWhatCoversAll()
    {
        Assert.NotNull(Made.RegionOf("UCX", NixlMemoryType.Dram, new NixlDescriptor(0x1000, 0x2000, 0)));
        Assert.NotNull(Made.RegionOf("UCX", NixlMemoryType.Dram, new NixlDescriptor(0x2fff, 1, 0)));
        Assert.Null(Made.RegionOf("UCX", NixlMemoryType.Dram, new NixlDescriptor(0x2fff, 2, 0)));
        Assert.Null(Made.RegionOf("UCX", NixlMemoryType.Dram, new NixlDescriptor(0xfff, 2, 0)));
        Assert.Null(Made.RegionOf("UCX", NixlMemoryType.Dram, new NixlDescriptor(0x1000, ulong.MaxValue, 0)));
        Assert.Null(Made.RegionOf("UCX", NixlMemoryType.Dram, new NixlDescriptor(0x1000, 1, 1)));
        Assert.Null(Made.RegionOf("UCX", NixlMemoryType.Vram, new NixlDescriptor(0x1000, 1, 0)));
        Assert.Null(Made.RegionOf("POSIX", NixlMemoryType.Dram, new NixlDescriptor(0x1000, 1, 0)));
    }

    private static void AssertRefusedCheaply(byte[] hostile)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(NixlCodec.TryDecode(hostile, Limits, out NixlMetadata? _, out _));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 20_000);
    }

    /// <summary>Encoded values, and decoders that answer with the error, or null after having compared what they decoded with what they were given.</summary>
    private static List<(byte[] Encoded, Func<byte[], string?> Decode)> Decoders() =>
    [
        (Recorded, DecodeMetadata),
        (NixlCodec.Encode(Made), DecodeMetadata),
        (NixlCodec.Encode(List), bytes =>
        {
            if (!NixlCodec.TryDecode(bytes, Limits, out NixlDescriptorList? list, out var error)) { return error; }
            Assert.Equal(bytes, NixlCodec.Encode(list));
            return null;
        }),
        (NixlCodec.Encode(Notification), bytes =>
        {
            if (!NixlCodec.TryDecode(bytes, Limits, out NixlNotification? notification, out var error)) { return error; }
            Assert.Equal(bytes, NixlCodec.Encode(notification));
            return null;
        }),
    ];

    private static string? DecodeMetadata(byte[] bytes)
    {
        if (!NixlCodec.TryDecode(bytes, Limits, out NixlMetadata? metadata, out var error)) { return error; }
        Assert.Equal(bytes, NixlCodec.Encode(metadata));
        return null;
    }

    /// <summary>Half a surrogate pair has no UTF-8.</summary>
    private static string Clean(string text) => new([.. text.Where(unit => !char.IsSurrogate(unit))]);

    private static byte[] ReadRecorded()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.At("tests/data/nixl/metadata_1.4.0_tcp.json")));
        var frame = Convert.FromHexString(document.RootElement.GetProperty("hex").GetString()!);
        return frame["NIXLCOMM:LOAD".Length..];
    }
}
