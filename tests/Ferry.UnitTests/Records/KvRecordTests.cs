using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.RegularExpressions;
using CsCheck;
using Ferry.Kv.Conversion;
using Ferry.Kv.Hashing;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Kv.Text;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Records;

public sealed class KvRecordTests
{
    private static readonly KvLayout Layout = KvLayout.Parse(
        "layers=2 heads=2..4/4 head_dim=8 tokens=20 dtype=e4m3fnuz scale=0.5 order=hnd block=16 packing=interleaved block_major=true");

    private static readonly byte[] Payload = [.. Enumerable.Range(0, (int)Layout.PayloadBytes).Select(index => (byte)(index * 7))];

    private static readonly KvRecordHeader Header = KvRecordHeader.Describe(
        Layout, new UInt128(0x0011223344556677, 0x8899AABBCCDDEEFF), 512,
        new ChunkHash([.. Enumerable.Range(0, 32).Select(index => (byte)(0xA0 + index))]), "tenant-ü", Payload) with
    {
        ClientKey = new ByteText("m@2@1@a0a1@fp8_e4m3fnuz"u8),
        ClientNote = new ByteText([1, 2, 3, 0]),
    };

    [Fact]
    public void Write_ThenRead_GivesAnEqualHeader()
    {
        var bytes = Record();
        Assert.True(KvRecord.TryReadHeader(bytes, out var header, out var error));
        Assert.Equal((Header, KvRecordError.None), (header, error));
        Assert.True(KvRecord.TryRead(bytes, out header, out _));
        Assert.Equal(Header, header);
        Assert.Equal(bytes.Length, header.RecordBytes);
        Assert.Equal(0, KvRecord.HeaderBytes % 64);
    }

    [Fact]
    public void Write_GoldenHeader_HasTheBytesOfTheFile()
    {
        var expected = Convert.FromHexString(File.ReadAllText(RepositoryRoot.At("tests", "data", "records", "header-v1.hex")).ReplaceLineEndings(""));
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(Record().AsSpan(0, KvRecord.HeaderBytes)));
        Assert.True(KvRecord.TryReadHeader(expected, out var header, out _));
        Assert.Equal(Header, header);
    }

    [Fact]
    public void Document_FieldTableAndGoldenBytes_AreThoseOfTheCode()
    {
        var document = File.ReadAllText(RepositoryRoot.At("docs", "wire", "record.md"));
        var rows = Regex.Matches(document, @"^\| (\d+) \| (\d+) \| `(\w+)` \|", RegexOptions.Multiline)
            .Select(row => new KvRecordField(row.Groups[3].Value, int.Parse(row.Groups[1].Value), int.Parse(row.Groups[2].Value)));
        Assert.Equal(KvRecordFields.All, rows);
        var golden = File.ReadAllText(RepositoryRoot.At("tests", "data", "records", "header-v1.hex")).Trim().ReplaceLineEndings("\n");
        Assert.Contains(golden, document.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Fields_OneAfterTheOther_FillTheHeader()
    {
        var offset = 0;
        foreach (var field in KvRecordFields.All)
        {
            Assert.Equal(offset, field.Offset);
            offset += field.Bytes;
        }
        Assert.Equal(KvRecord.HeaderBytes, offset);
    }

    [Fact]
    public void TryReadHeader_AnyBitFlipped_IsRefused()
    {
        var bytes = Record().AsSpan(0, KvRecord.HeaderBytes).ToArray();
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(KvRecord.TryReadHeader(bytes, out var header, out var error));
            Assert.Null(header);
            Assert.NotEqual(KvRecordError.None, error);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4097)]
    public void Write_OpaquePayload_ReadsBackWithItsLengthAndHasNoPlan(int payloadBytes)
    {
        var payload = new byte[payloadBytes];
        var header = KvRecordHeader.Describe(KvLayout.Opaque(payloadBytes), 1, 0, Header.Hash, "", payload) with { ClientKey = new ByteText("any key"u8) };
        var record = new byte[header.RecordBytes];
        KvRecord.Write(header, record);
        Assert.True(KvRecord.TryRead(record, out var read, out _));
        Assert.Equal(header, read);
        Assert.False(ConversionPlan.TryCreate([header.Layout], header.Layout, out _, out var mismatches));
        Assert.Contains("source 0: order=opaque says nothing of its axes", mismatches);
    }

    [Fact]
    public void TryRead_PayloadBitFlipped_IsAChecksumError()
    {
        var bytes = Record();
        bytes[^1] ^= 0x10;
        Assert.True(KvRecord.TryReadHeader(bytes, out _, out _));
        Assert.False(KvRecord.TryRead(bytes, out var header, out var error));
        Assert.Equal((null, KvRecordError.PayloadChecksum), (header, error));
    }

    [Theory]
    [InlineData(0, KvRecordError.Truncated)]
    [InlineData(KvRecord.HeaderBytes - 1, KvRecordError.Truncated)]
    [InlineData(KvRecord.HeaderBytes, KvRecordError.PayloadTruncated)]
    public void TryRead_CutShort_SaysWhichPartIsMissing(int bytes, KvRecordError expected)
    {
        Assert.False(KvRecord.TryRead(Record().AsSpan(0, bytes), out _, out var error));
        Assert.Equal(expected, error);
    }

    public static TheoryData<string, int, byte, KvRecordError> WholeButMeaningless() => new()
    {
        { "version", 0, 2, KvRecordError.Version },
        { "header_bytes", 0, 1, KvRecordError.HeaderLength },
        { "magic", 0, 0, KvRecordError.Magic },
        { "flags", 3, 1, KvRecordError.Reserved },
        { "padding", 2, 1, KvRecordError.Reserved },
        { "reserved", 167, 1, KvRecordError.Reserved },
        { "layers", 3, 0x80, KvRecordError.Layout },
        { "heads", 0, 200, KvRecordError.Layout },
        { "head_dim", 3, 0x7F, KvRecordError.Layout },
        { "tokens", 3, 0x7F, KvRecordError.Layout },
        { "block_tokens", 3, 0x7F, KvRecordError.Layout },
        { "dtype", 0, 0, KvRecordError.Layout },
        { "order", 0, 5, KvRecordError.Layout },
        { "order", 0, 6, KvRecordError.Layout },
        { "packing", 0, 9, KvRecordError.Layout },
        { "block_major", 0, 2, KvRecordError.Layout },
        { "scale", 3, 0xFF, KvRecordError.Layout },
        { "first_token", 3, 0x80, KvRecordError.TokenSpan },
        { "payload_bytes", 0, 1, KvRecordError.PayloadLength },
        { "payload_bytes", 7, 0xFF, KvRecordError.PayloadLength },
        { "hash_bytes", 0, 0, KvRecordError.Hash },
        { "hash_bytes", 0, 33, KvRecordError.Hash },
        { "hash_bytes", 0, 31, KvRecordError.Hash },
        { "salt_bytes", 0, 129, KvRecordError.Salt },
        { "salt_bytes", 0, 3, KvRecordError.Salt },
        { "salt", 8, 0x20, KvRecordError.Salt },
        { "salt", 100, 0x20, KvRecordError.Salt },
        { "client_key_bytes", 1, 3, KvRecordError.ClientKey },
        { "client_key_bytes", 0, 2, KvRecordError.ClientKey },
        { "client_key", 511, 1, KvRecordError.ClientKey },
        { "client_note_bytes", 0, 65, KvRecordError.ClientKey },
        { "client_note", 63, 1, KvRecordError.ClientKey },
    };

    [Theory]
    [MemberData(nameof(WholeButMeaningless))]
    public void TryReadHeader_WholeButMeaningless_NamesTheCheck(string field, int index, byte value, KvRecordError expected)
    {
        var bytes = Record();
        KvRecordFields.All.Single(candidate => candidate.Name == field).In(bytes.AsSpan())[index] = value;
        Reseal(bytes);
        Assert.False(KvRecord.TryReadHeader(bytes, out _, out var error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void TryReadHeader_AnyBytes_NeverThrows() =>
        Gen.Byte.Array[0, 2200].Sample(bytes =>
        {
            var read = KvRecord.TryReadHeader(bytes, out var header, out var error);
            Assert.Equal(read, header is not null);
            Assert.Equal(read, error == KvRecordError.None);
        });

    /// <summary>Noise past the checksum: only then does it meet the checks of the fields.</summary>
    [Fact]
    public void TryReadHeader_NoiseWithARightChecksum_NeverThrowsAndWhatItReadsWritesBack() =>
        Gen.Select(Gen.Int[12, 1007], Gen.Byte, Gen.Int[12, 1007], Gen.Byte).Sample((firstAt, first, secondAt, second) =>
        {
            var bytes = Record();
            (bytes[firstAt], bytes[secondAt]) = (first, second);
            Reseal(bytes);
            if (!KvRecord.TryReadHeader(bytes, out var header, out _)) { return; }
            var again = new byte[KvRecord.HeaderBytes];
            KvRecord.Write(header, again);
            Assert.Equal(bytes.AsSpan(0, KvRecord.HeaderBytes).ToArray(), again);
        }, iter: 20_000);

    [Fact]
    public void Write_FieldWithoutAPlace_IsRefused()
    {
        var destination = new byte[KvRecord.HeaderBytes];
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header, destination.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header with { Salt = new string('s', 129) }, destination));
        Assert.ThrowsAny<ArgumentException>(() => KvRecord.Write(Header with { Salt = "\ud800" }, destination));
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header with { Hash = default }, destination));
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header with { FirstToken = -1 }, destination));
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header with { FirstToken = int.MaxValue }, destination));
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header with { ClientKey = new ByteText(new byte[513]) }, destination));
        Assert.Throws<ArgumentException>(() => KvRecord.Write(Header with { ClientNote = new ByteText(new byte[65]) }, destination));
        Assert.Throws<KvLayoutException>(() => KvRecord.Write(Header with { PayloadBytes = 1 }, destination));
        Assert.Throws<KvLayoutException>(() => KvRecord.Write(Header with { Layout = Layout with { Layers = 0 } }, destination));
        Assert.DoesNotContain(destination, value => value != 0);
    }

    [Fact]
    public void Describe_PayloadOfAnotherLength_IsRefused() =>
        Assert.Throws<KvLayoutException>(() => KvRecordHeader.Describe(Layout, 0, 0, Header.Hash, "", Payload.AsSpan(1)));

    [Fact]
    public void Errors_Numbers_NeverChange() =>
        Assert.Equal(
            [
                "None=0", "Truncated=1", "Magic=2", "Version=3", "HeaderLength=4", "HeaderChecksum=5", "Layout=6", "TokenSpan=7",
                "PayloadLength=8", "Hash=9", "Salt=10", "Reserved=11", "PayloadTruncated=12", "PayloadChecksum=13", "ClientKey=14",
            ],
            Enum.GetValues<KvRecordError>().Select(error => $"{error}={(int)error}"));

    private static byte[] Record()
    {
        var bytes = new byte[Header.RecordBytes];
        KvRecord.Write(Header, bytes);
        Payload.CopyTo(bytes.AsSpan(KvRecord.HeaderBytes));
        return bytes;
    }

    private static void Reseal(byte[] bytes) =>
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(1008, 16), XxHash128.HashToUInt128(bytes.AsSpan(0, 1008)));
}
