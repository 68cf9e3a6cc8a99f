using System.Text;
using CsCheck;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.Peers;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.CacheRemote.Peers;

public sealed class PeerWireTests
{
    [Theory]
    [InlineData("")]
    [InlineData("tenant")]
    [InlineData("a:b/ü")]
    public void Key_WrittenAndRead_IsTheSame(string salt)
    {
        var key = TestRecords.Key(7, salt);
        Assert.True(PeerWire.TryReadKey(Encoding.UTF8.GetBytes(PeerWire.OfKey(key)), out var read));
        Assert.Equal(key, read);
    }

    [Fact]
    public void OfKey_GoldenBytes() =>
        Assert.Equal("0123456789abcdeffedcba9876543210:07000000" + string.Concat(Enumerable.Repeat("5a", 28)) + ":t", PeerWire.OfKey(TestRecords.Key(7, "t")));

    [Theory]
    [InlineData("")]
    [InlineData("0123")]
    [InlineData("0123456789abcdeffedcba9876543210")]
    [InlineData("0123456789abcdeffedcba9876543210:aabb")]
    [InlineData("0123456789abcdeffedcba9876543210:aab:")]
    [InlineData("0123456789abcdeffedcba9876543210::")]
    [InlineData("x123456789abcdeffedcba9876543210:aabb:")]
    public void TryReadKey_AnythingElse_IsFalse(string text) => Assert.False(PeerWire.TryReadKey(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void TryReadKey_SaltBeyondARecords_IsFalse() =>
        Assert.False(PeerWire.TryReadKey(Encoding.UTF8.GetBytes(PeerWire.OfKey(TestRecords.Key(7, new string('s', 3000)))), out _));

    [Fact]
    public void Records_WrittenAndRead_NameWhatARecordsPathNames()
    {
        var layouts = new[] { TestRecords.Layout(0, 2), TestRecords.Layout(2, 2), KvLayout.Opaque(77) };
        var answer = Encoding.ASCII.GetString(PeerWire.OfRecords(layouts.Select(layout => (layout, (int)layout.PayloadBytes + 1024))));
        var records = PeerWire.TryReadRecords(TestRecords.Key(7), answer)!;
        Assert.Equal(layouts.Select(layout => (layout.FirstHead, layout.Heads, layout.ModelHeads, RecordPath.FamilyDigest(layout), (int)layout.PayloadBytes + 1024)),
            records.Select(record => (record.FirstHead, record.Heads, record.ModelHeads, record.Family, record.RecordBytes)));
        Assert.Equal(RecordPath.OfRecord(TestRecords.Record(7, layouts[1]).Header), records[1].Location);
        Assert.Equal(RecordPath.OfShard(layouts[1]), PeerWire.ShardOf(records[1]));
    }

    [Theory]
    [InlineData("0-4-4-0123456789abcdef.kv")]
    [InlineData("0-4-4-0123456789abcdef.kv -2048")]
    [InlineData("0-4-4-0123456789abcdef.kv 99999999999")]
    [InlineData("0-4-4-0123456789abcdef.kv 1023")]
    [InlineData("../../0-4-4-0123456789abcdef.kv 2048")]
    [InlineData("3-4-4-0123456789abcdef.kv 2048")]
    [InlineData(" 0-4-4-0123456789abcdef.kv 2048")]
    public void TryReadRecords_WhatNoExchangeWrites_IsNull(string answer) => Assert.Null(PeerWire.TryReadRecords(TestRecords.Key(7), answer));

    [Fact]
    public void Readers_AnyBytes_NeverThrow()
    {
        Gen.Byte.Array[0, 400].Sample(bytes => { PeerWire.TryReadKey(bytes, out _); });
        Gen.String[Gen.Char["0123456789abcdef-.kv "], 0, 200].Sample(text => { PeerWire.TryReadRecords(TestRecords.Key(7), text); });
    }

    [Fact]
    public void Question_OfTheMostAndLongestKeys_FitsACommand()
    {
        var key = PeerWire.OfKey(TestRecords.Key(7, new string('s', Ferry.Kv.Records.KvRecord.MaxSaltBytes)));
        Assert.InRange((long)PeerWire.KeysMax * (key.Length + "$227\r\n\r\n".Length), 1, 256 << 10);
    }
}
