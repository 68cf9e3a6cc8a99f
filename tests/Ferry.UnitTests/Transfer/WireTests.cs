using CsCheck;
using Ferry.Kv.Hashing;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;
using Xunit;

namespace Ferry.UnitTests.Transfer;

/// <summary>Golden bytes of docs/wire/side-channel.md, and hostile ones.</summary>
public sealed class WireTests
{
    private static readonly PeerMetadata Metadata = new(
        new AgentIdentity("engine-p", 0x1122334455667788),
        new KvDescription((UInt128)0x0102030405060708 << 64 | 0x090A0B0C0D0E0F10, 256, "sha256_cbor", ["r0", "r1"]),
        [new MediumAddress("tcp", "a:1"u8.ToArray())], TimeSpan.FromSeconds(1));

    private static readonly LocateRequest Locate = new("req", "s", 5, [new ChunkHash([1, 2, 3])]);

    private static readonly LocateReply LocateReply =
        new(0xAB, 0xCD, TimeSpan.FromSeconds(30), [new LocatedRecord(0, 3, 9, 4096, 20)], TransferError.None, "");

    private static readonly PrepareRequest Prepare = new("req", "s", 5, [new PreparedPiece(new ChunkHash([1, 2, 3]), 3, 20)]);

    private static readonly PrepareReply PrepareReply =
        new(0xAB, 0xCD, TimeSpan.FromSeconds(30), [new LocatedRecord(0, 3, 9, 4096, 20)], TransferError.None, "");

    private static readonly RegionInfo Region = new(9, 0x7f0000001000, 8192, new byte[] { 1, 2, 3 });

    private static readonly ExtendRequest Extend = new([new LeaseHold("req", 0xAB)], TimeSpan.FromSeconds(20));

    private static readonly ReleaseRequest Release = new("req", 0xAB, Completed: true);

    /// <summary>Whole frames, header included, as docs/wire/side-channel.md shows them.</summary>
    private static readonly (string Golden, byte[] Frame)[] GoldenFrames =
    [
        ("4652525902070000efcdab896745230100000000000000008bbfc06421291b6f",
            FrameHeader.Encode(FrameType.Ping, TransferError.None, 0x0123456789abcdef, default)),
        ("465252590205000000000000000000004d0000000000000021792b36c56a919e0800656e67696e652d708877665544332211100f0e0d0c0b"
            + "0a090807060504030201000100000b007368613235365f63626f7202000200723002007231010003007463700300613a31e8030000",
            FrameHeader.Encode(FrameType.Hello, TransferError.None, 0, SideChannelCodec.Encode(Metadata).Written)),
        ("465252590209000001000000000000002000000000000000d286af03c5bc1467030072657101007305000000000000000000000000000000"
            + "0100000003010203",
            FrameHeader.Encode(FrameType.Locate, TransferError.None, 1, SideChannelCodec.Encode(Locate).Written)),
        ("46525259020a000001000000000000003800000000000000808526cb634f932aab00000000000000cd000000000000003075000001000000"
            + "0000000003000000090000000000000000100000000000001400000000000000",
            FrameHeader.Encode(FrameType.LocateReply, TransferError.None, 1, SideChannelCodec.Encode(LocateReply).Written)),
        ("46525259020a0e00010000000000000006000000000000002866f25036e4d9f30400676f6e65",
            FrameHeader.Encode(FrameType.LocateReply, TransferError.NotFound, 1, SideChannelCodec.EncodeMessage("gone").Written)),
        ("46525259020b000002000000000000001500000000000000219580dd5a3d872c204e000001000000ab000000000000000300726571",
            FrameHeader.Encode(FrameType.Extend, TransferError.None, 2, SideChannelCodec.Encode(Extend).Written)),
        ("46525259020c000002000000000000000800000000000000a54120c6507ab4ef01000000204e0000",
            FrameHeader.Encode(FrameType.ExtendReply, TransferError.None, 2, SideChannelCodec.EncodeLeft([TimeSpan.FromSeconds(20)]).Written)),
        ("46525259020d000003000000000000000e00000000000000b6214b0df6c916feab00000000000000030072657101",
            FrameHeader.Encode(FrameType.Release, TransferError.None, 3, SideChannelCodec.Encode(Release).Written)),
        ("465252590210000004000000000000004800000000000000d638f58228d6b44bcd00000000000000ab000000000000000100000002000000"
            + "090000000000000000100000000000001400000000000000090000000000000000200000000000001e00000000000000",
            FrameHeader.Encode(FrameType.Read, TransferError.None, 4, Request(TransferDirection.Read, TransferFlags.Checksum))),
        ("465252590211000004000000000000001800000000000000a2e10d3a7ebbded9cd00000000000000ab000000000000003200000000000000",
            FrameHeader.Encode(FrameType.ReadReply, TransferError.None, 4, ReadReply())),
        ("4652525402000200040000000000000032000000000000008877665544332211",
            Trailer()),
        ("465252590212000005000000000000007b000000000000005fd15747f901c644cd00000000000000ab000000000000000400000002000000"
            + "090000000000000000100000000000001400000000000000090000000000000000200000000000001e000000000000000100090000000010"
            + "0000007f000000200000000000000300010203010000000000000000000000010000001400000000000000",
            FrameHeader.Encode(FrameType.Write, TransferError.None, 5, Request(TransferDirection.Write, TransferFlags.Fetch))),
        ("46525259021400000600000000000000000000000000000095baf0f988cb5910",
            FrameHeader.Encode(FrameType.Took, TransferError.None, 6, default)),
        ("465252590216000007000000000000002a000000000000002f69d93d936cd8cc030072657101007305000000000000000000000000000000"
            + "010000001400000000000000030003010203",
            FrameHeader.Encode(FrameType.Prepare, TransferError.None, 7, SideChannelCodec.Encode(Prepare).Written)),
        ("4652525902170000070000000000000038000000000000006e0e6ea369bc93d8ab00000000000000cd000000000000003075000001000000"
            + "0000000003000000090000000000000000100000000000001400000000000000",
            FrameHeader.Encode(FrameType.PrepareReply, TransferError.None, 7, SideChannelCodec.Encode(PrepareReply).Written)),
        ("465252590218000008000000000000000900000000000000883b45ab723559c3646f6e653a20726571",
            FrameHeader.Encode(FrameType.Notify, TransferError.None, 8, "done: req"u8)),
        ("46525259021a0000090000000000000009000000000000005f5b048a49c203ab030073686d09000000",
            FrameHeader.Encode(FrameType.Region, TransferError.None, 9, SideChannelCodec.EncodeRegionQuestion("shm", 9).Written)),
        ("46525259021b00000900000000000000190000000000000047e0604f5361719b0900000000100000007f0000002000000000000003000102"
            + "03",
            FrameHeader.Encode(FrameType.RegionReply, TransferError.None, 9, RegionInfoCodec.Encode(Region).Written)),
    ];

    [Fact]
    public void Frames_OfEveryKind_HaveTheirGoldenBytes()
    {
        foreach (var (golden, frame) in GoldenFrames)
        {
            Assert.Equal(golden, Convert.ToHexStringLower(frame));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(35)]
    public void Frame_AnyBitFlipped_IsNoticed(int byteIndex)
    {
        var frame = FrameHeader.Encode(FrameType.Locate, TransferError.None, 7, [1, 2, 3, 4]);
        for (var bit = 0; bit < 8; bit++)
        {
            var damaged = frame.ToArray();
            damaged[byteIndex] ^= (byte)(1 << bit);
            var error = FrameHeader.TryRead(damaged, 4, out _);
            Assert.True(error is not null || !FrameHeader.IsIntact(damaged, damaged.AsSpan(32)));
        }
    }

    [Fact]
    public void Frame_LongerThanTheCap_IsRefusedByItsLength()
    {
        var frame = FrameHeader.Encode(FrameType.Locate, TransferError.None, 7, new byte[100]);
        Assert.Contains("100 bytes is over the limit of 99", FrameHeader.TryRead(frame, 99, out _), StringComparison.Ordinal);
        frame[19] = 0xFF;
        Assert.NotNull(FrameHeader.TryRead(frame, FrameHeader.PayloadBytesMax, out _));
    }

    [Fact]
    public void Frame_OfAnotherVersion_SaysBothVersions()
    {
        var frame = FrameHeader.Encode(FrameType.Open, TransferError.None, 0, default);
        frame[4] = 9;
        Assert.Contains("version 9", FrameHeader.TryRead(frame, 0, out _), StringComparison.Ordinal);
        Assert.True(FrameHeader.IsOtherVersion(frame));
    }

    [Fact]
    public void Messages_RoundTrip_KeepEveryField()
    {
        var metadata = SideChannelCodec.DecodeMetadata(SideChannelCodec.Encode(Metadata).Written)!;
        Assert.Equal(Metadata.Identity, metadata.Identity);
        Assert.Equal(Metadata.Kv.RankLayouts, metadata.Kv.RankLayouts);
        Assert.Equal(Metadata.Kv with { RankLayouts = metadata.Kv.RankLayouts }, metadata.Kv);
        Assert.Equal(Metadata.Media[0].Address.ToArray(), metadata.Media[0].Address.ToArray());
        var locate = SideChannelCodec.DecodeLocate(SideChannelCodec.Encode(Locate).Written)!;
        Assert.Equal(Locate.Chunks, locate.Chunks);
        Assert.Equal(Locate with { Chunks = locate.Chunks }, locate);
        var reply = SideChannelCodec.DecodeLocateReply(SideChannelCodec.Encode(LocateReply).Written)!;
        Assert.Equal(LocateReply.Records, reply.Records);
        Assert.Equal(LocateReply with { Records = reply.Records }, reply);
        var extend = SideChannelCodec.DecodeExtend(SideChannelCodec.Encode(Extend).Written)!;
        Assert.Equal(Extend.Holds, extend.Holds);
        Assert.Equal(Extend.Duration, extend.Duration);
        Assert.Equal(Release, SideChannelCodec.DecodeRelease(SideChannelCodec.Encode(Release).Written));
        Assert.Equal([TimeSpan.FromSeconds(3), TimeSpan.Zero], SideChannelCodec.DecodeLeft(SideChannelCodec.EncodeLeft([TimeSpan.FromSeconds(3), TimeSpan.Zero]).Written)!);
        Assert.Equal(Metadata.Heartbeat, metadata.Heartbeat);
        var prepare = SideChannelCodec.DecodePrepare(SideChannelCodec.Encode(Prepare).Written)!;
        Assert.Equal(Prepare.Pieces, prepare.Pieces);
        Assert.Equal(Prepare with { Pieces = prepare.Pieces }, prepare);
        var prepared = SideChannelCodec.DecodePrepareReply(SideChannelCodec.Encode(PrepareReply).Written)!;
        Assert.Equal(PrepareReply.Places, prepared.Places);
        Assert.Equal(("shm", 9u), SideChannelCodec.DecodeRegionQuestion(SideChannelCodec.EncodeRegionQuestion("shm", 9).Written));
        var region = RegionInfoCodec.Decode(RegionInfoCodec.Encode(Region).Written)!;
        Assert.Equal((Region.RegionId, Region.Address, Region.Bytes), (region.RegionId, region.Address, region.Bytes));
        Assert.Equal("why", SideChannelCodec.DecodeMessage(SideChannelCodec.EncodeMessage("why").Written));
    }

    [Fact]
    public void Decoders_AnyTruncationOrExtraByte_IsNull()
    {
        foreach (var (encoded, decode) in Decoders())
        {
            for (var bytes = 0; bytes < encoded.Length; bytes++)
            {
                Assert.Null(decode(encoded[..bytes]));
            }
            Assert.Null(decode([.. encoded, 0]));
            Assert.NotNull(decode(encoded));
        }
    }

    [Fact]
    public void Decoders_HostileBytes_NeverThrow() =>
        Gen.Select(Gen.Int[0, 10], Gen.Int[0, 5], Gen.Byte.Array[0, 300], Gen.Int[0, 400]).Sample((which, mutations, noise, place) =>
        {
            var (encoded, decode) = Decoders()[which % Decoders().Count];
            decode(noise);
            var mutated = encoded.ToArray();
            for (var i = 0; i < mutations && noise.Length > i; i++)
            {
                mutated[(place + i * 7) % mutated.Length] = noise[i];
            }
            decode(mutated);
        }, iter: 20_000);

    [Fact]
    public void DecodeLocate_CountFarBeyondTheBytes_AllocatesNothingForIt()
    {
        var encoded = SideChannelCodec.Encode(Locate).Written.ToArray();
        // The count stands before the one hash of 1 + 3 bytes.
        encoded.AsSpan(encoded.Length - 8, 4).Fill(0xFF);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(SideChannelCodec.DecodeLocate(encoded));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000);
    }

    [Fact]
    public void Flags_OfEveryCombination_AreKnownOnlyWhereTheyMakeSense()
    {
        TransferFlags[] reads = [TransferFlags.None, TransferFlags.Checksum, TransferFlags.InPlace, TransferFlags.InPlace | TransferFlags.Checksum, TransferFlags.Taken];
        TransferFlags[] writes = [.. reads[..4], TransferFlags.Fetch, TransferFlags.Fetch | TransferFlags.Checksum];
        for (var flags = 0u; flags < 32; flags++)
        {
            Assert.Equal(reads.Contains((TransferFlags)flags), ((TransferFlags)flags).AreKnown(TransferDirection.Read));
            Assert.Equal(writes.Contains((TransferFlags)flags), ((TransferFlags)flags).AreKnown(TransferDirection.Write));
        }
    }

    [Fact]
    public void ServedRead_HostileBytes_NeverServeWhatNoLeaseCovers()
    {
        var regions = new RegionTable(4);
        var region = regions.Add(0x1000, 1000);
        var leases = new LeaseTable(7, regions, new LeaseLimits(), TimeProvider.System, new SeededEntropy(1));
        var lease = leases.TryGrant([new LeaseRange(region.Id, 100, 100)], TimeSpan.FromSeconds(100))!;
        var good = new byte[TransferCodec.RequestHeadBytes + TransferCodec.DescriptorBytes];
        BitConverter.TryWriteBytes(good.AsSpan(0), 7ul);
        BitConverter.TryWriteBytes(good.AsSpan(8), lease.Id);
        good[20] = 1;
        BitConverter.TryWriteBytes(good.AsSpan(24), region.Id);
        good[32] = 120;
        good[40] = 30;
        var served = new ServedTransfer(regions, leases);
        Assert.Equal(TransferError.None, served.Begin(TransferDirection.Read, good, out _));
        Assert.Equal(30, served.Bytes);
        served.End();
        Gen.Select(Gen.Int[1, 4], Gen.Byte.Array[4], Gen.Int[0, 47].Array[4]).Sample((count, noise, places) =>
        {
            var mutated = good.ToArray();
            for (var i = 0; i < count; i++)
            {
                mutated[places[i]] = noise[i];
            }
            if (served.Begin(TransferDirection.Read, mutated, out _) == TransferError.None)
            {
                Assert.All(served.Pieces, piece => Assert.True(piece.Offset >= 100 && piece.Bytes > 0 && piece.Offset + piece.Bytes <= 200));
            }
            served.End();
        }, iter: 20_000, threads: 1);
        Assert.True(leases.Release(lease.Id));
        Assert.Equal(0, leases.Count); // every refusal let go of the lease
    }

    private static List<(byte[] Encoded, Func<byte[], object?> Decode)> Decoders() =>
    [
        (SideChannelCodec.Encode(Metadata).Written.ToArray(), bytes => SideChannelCodec.DecodeMetadata(bytes)),
        (SideChannelCodec.EncodeHelloReply(3, Metadata).Written.ToArray(), bytes => SideChannelCodec.DecodeHelloReply(bytes, out _)),
        (SideChannelCodec.Encode(Locate).Written.ToArray(), bytes => SideChannelCodec.DecodeLocate(bytes)),
        (SideChannelCodec.Encode(LocateReply).Written.ToArray(), bytes => SideChannelCodec.DecodeLocateReply(bytes)),
        (SideChannelCodec.Encode(Extend).Written.ToArray(), bytes => SideChannelCodec.DecodeExtend(bytes)),
        (SideChannelCodec.Encode(Release).Written.ToArray(), bytes => SideChannelCodec.DecodeRelease(bytes)),
        (SideChannelCodec.EncodeLeft([TimeSpan.FromSeconds(3)]).Written.ToArray(), bytes => SideChannelCodec.DecodeLeft(bytes)),
        (SideChannelCodec.Encode(Prepare).Written.ToArray(), bytes => SideChannelCodec.DecodePrepare(bytes)),
        (SideChannelCodec.Encode(PrepareReply).Written.ToArray(), bytes => SideChannelCodec.DecodePrepareReply(bytes)),
        (SideChannelCodec.EncodeRegionQuestion("shm", 9).Written.ToArray(), bytes => SideChannelCodec.DecodeRegionQuestion(bytes)),
        (RegionInfoCodec.Encode(Region).Written.ToArray(), bytes => RegionInfoCodec.Decode(bytes)),
    ];

    private static byte[] Request(TransferDirection direction, TransferFlags flags)
    {
        var regions = new RegionTable(1);
        var target = regions.Add(0x1000, 100);
        var descriptors = new[] { new TransferDescriptor(new RemoteRange(0xAB, 0xCD, 9, 4096, 20), target, 0), new TransferDescriptor(new RemoteRange(0xAB, 0xCD, 9, 8192, 30), target, 20) };
        var plan = TransferPlan.TryCreate(direction, descriptors, new TransferLimits(), _ => 2 << 20, false, regions, out _)!;
        var payload = new byte[TransferCodec.RequestBytes(plan.Segments[0])];
        TransferCodec.WriteRequest(payload, plan, plan.Segments[0], flags);
        if ((flags & TransferFlags.Fetch) == 0)
        {
            return payload;
        }
        var sources = new WireWriter();
        sources.Bytes(payload);
        TransferCodec.WriteSources(sources, plan, plan.Segments[0], [Region]);
        return sources.Written.ToArray();
    }

    private static byte[] ReadReply()
    {
        var payload = new byte[TransferCodec.ReplyBytes];
        TransferCodec.WriteReply(payload, 0xCD, 0xAB, 50);
        return payload;
    }

    private static byte[] Trailer()
    {
        var trailer = new byte[TransferCodec.TrailerBytes];
        TransferCodec.WriteTrailer(trailer, TransferError.LeaseExpired, 4, 50, 0x1122334455667788);
        return trailer;
    }
}
