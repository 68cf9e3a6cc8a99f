using CsCheck;
using Ferry.Kv.Layout;
using Ferry.Transfer.Handover;
using Xunit;

namespace Ferry.UnitTests.Transfer.Handover;

/// <summary>Golden bytes of docs/wire/handover.md, and hostile ones.</summary>
public sealed class HandoverCodecTests
{
    private static readonly KvLayout Pool = new()
    {
        Layers = 1,
        ModelHeads = 2,
        FirstHead = 0,
        Heads = 2,
        HeadDim = 4,
        Tokens = 64,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    private static readonly KvLayout[] Pools = [Pool.ForRank(0, 2), Pool.ForRank(1, 2)];

    private static readonly HandoverTicket Ticket = new(0xCD, 20, TimeSpan.FromSeconds(30), 2 << 20,
        [new HandoverRank(0xAB, 9, 4096, new[] { 3, 1 }), new HandoverRank(0xAC, 9, 8192, new[] { 3, 1 })]);

    private static readonly PackRequest Pack = new(0xAB, 2, 16, 20, Pool with { Tokens = 32 });

    [Fact]
    public void Messages_OfEveryKind_HaveTheirGoldenBytes()
    {
        Assert.Equal("010100000300726571", Convert.ToHexStringLower(HandoverCodec.EncodeTicketQuestion("req")));
        Assert.Equal(
            "01010000cd00000000000000140000003075000000002000010002000000030000000100000002" + "00ab000000000000000900000000000000" + "0010000000000000"
            + "ac00000000000000090000000000000000200000" + "00000000",
            Convert.ToHexStringLower(HandoverCodec.Encode(Ticket)));
        Assert.StartsWith("01020000ab000000000000000200000010000000140000", Convert.ToHexStringLower(HandoverCodec.Encode(Pack)), StringComparison.Ordinal);
        Assert.Equal("01020000ef00000000000000090000000000000000100000000000002000000000000000",
            Convert.ToHexStringLower(HandoverCodec.Encode(new PackReply(0xEF, 9, 4096, 32))));
    }

    [Fact]
    public void Messages_RoundTrip_KeepEveryField()
    {
        var ticket = HandoverCodec.DecodeTicket(HandoverCodec.Encode(Ticket), Pools)!;
        Assert.Equal((Ticket.Generation, Ticket.Tokens, Ticket.LeaseLeft, Ticket.PackBytesMax), (ticket.Generation, ticket.Tokens, ticket.LeaseLeft, ticket.PackBytesMax));
        for (var rank = 0; rank < 2; rank++)
        {
            Assert.Equal(Ticket.Ranks[rank].Blocks.ToArray(), ticket.Ranks[rank].Blocks.ToArray());
            Assert.Equal(Ticket.Ranks[rank] with { Blocks = default }, ticket.Ranks[rank] with { Blocks = default });
        }
        Assert.Equal(Pack, HandoverCodec.DecodePack(HandoverCodec.Encode(Pack)));
        Assert.Equal(new PackReply(1, 2, 3, 4), HandoverCodec.DecodePackReply(HandoverCodec.Encode(new PackReply(1, 2, 3, 4))));
        Assert.Equal("req", HandoverCodec.DecodeTicketQuestion(HandoverCodec.EncodeTicketQuestion("req")));
    }

    [Fact]
    public void Ticket_ThatThePoolsContradict_IsNone()
    {
        Assert.Null(Decode(Ticket with { Tokens = 40 })); // three blocks
        Assert.Null(Decode(Ticket with { Tokens = 16 })); // one block
        Assert.Null(Decode(Ticket with { Tokens = 0 }));
        Assert.Null(Decode(Ticket with { Ranks = [Ticket.Ranks[0], Ticket.Ranks[1] with { Blocks = new[] { 3, 4 } }] })); // the pool has blocks 0 to 3
        Assert.Null(Decode(Ticket with { Ranks = [Ticket.Ranks[0], Ticket.Ranks[1] with { Blocks = new[] { -1, 1 } }] }));
        Assert.Null(Decode(Ticket with { Ranks = [Ticket.Ranks[0]] }));
        Assert.Null(Decode(Ticket with { Ranks = [Ticket.Ranks[0], Ticket.Ranks[1] with { Offset = long.MaxValue }] }));

        static HandoverTicket? Decode(HandoverTicket ticket) => HandoverCodec.DecodeTicket(HandoverCodec.Encode(ticket), Pools);
    }

    [Fact]
    public void Decoders_TruncatedOrHostileBytes_AreNullAndNeverThrow()
    {
        (byte[] Encoded, Func<byte[], object?> Decode)[] decoders =
        [
            (HandoverCodec.Encode(Ticket), bytes => HandoverCodec.DecodeTicket(bytes, Pools)),
            (HandoverCodec.Encode(Pack), bytes => HandoverCodec.DecodePack(bytes)),
            (HandoverCodec.Encode(new PackReply(1, 2, 3, 4)), bytes => HandoverCodec.DecodePackReply(bytes)),
            (HandoverCodec.EncodeTicketQuestion("req"), bytes => HandoverCodec.DecodeTicketQuestion(bytes)),
        ];
        foreach (var (encoded, decode) in decoders)
        {
            for (var bytes = 0; bytes < encoded.Length; bytes++) { Assert.Null(decode(encoded[..bytes])); }
            Assert.Null(decode([.. encoded, 0]));
        }
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 5], Gen.Byte.Array[0, 100], Gen.Int[0, 300]).Sample((which, mutations, noise, place) =>
        {
            var (encoded, decode) = decoders[which];
            decode(noise);
            var mutated = encoded.ToArray();
            for (var i = 0; i < mutations && noise.Length > i; i++) { mutated[(place + i * 7) % mutated.Length] = noise[i]; }
            decode(mutated);
        }, iter: 20_000);
    }
}
