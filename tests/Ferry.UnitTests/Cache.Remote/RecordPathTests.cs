using CsCheck;
using Ferry.Cache.Remote;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.CacheRemote;

public sealed class RecordPathTests
{
    private const string Good = "0123456789abcdef0123456789abcdef/none/aa/aabbcc/0-4-4-0123456789abcdef.kv";

    [Fact]
    public void OfRecord_PathAndBack_NamesTheSameRecord()
    {
        var (header, record) = TestRecords.Record(7, TestRecords.Layout(2, 2));
        var path = RecordPath.OfRecord(header);
        Assert.True(RecordPath.IsRecord(path));
        var named = RecordPath.TryRecord(path, record.Length)!;
        Assert.Equal((header.Key, 2, 2, 4, record.Length, path), (named.Key, named.FirstHead, named.Heads, named.ModelHeads, named.RecordBytes, named.Location));
        Assert.True(RecordPath.IsOfSalt(path, ""));
    }

    [Fact]
    public void TryRecord_SaltedPath_IsNullButTellsItsSalt()
    {
        var path = RecordPath.OfRecord(TestRecords.Record(7, TestRecords.Layout(), salt: "tenant").Header);
        Assert.True(RecordPath.IsRecord(path));
        Assert.Null(RecordPath.TryRecord(path, 2048));
        Assert.True(RecordPath.IsOfSalt(path, "tenant"));
        Assert.False(RecordPath.IsOfSalt(path, "tenants"));
        Assert.False(RecordPath.IsOfSalt(path, ""));
    }

    [Theory]
    [InlineData(Good, true)]
    [InlineData("", false)]
    [InlineData("/" + Good, false)]
    [InlineData(Good + "/x", false)]
    [InlineData("0123456789ABCDEF0123456789abcdef/none/aa/aabbcc/0-4-4-0123456789abcdef.kv", false)]
    [InlineData("0123456789abcdef0123456789abcdef/nobody/aa/aabbcc/0-4-4-0123456789abcdef.kv", false)]
    [InlineData("0123456789abcdef0123456789abcdef/none/ab/aabbcc/0-4-4-0123456789abcdef.kv", false)]
    [InlineData("0123456789abcdef0123456789abcdef/none/aa/aa../0-4-4-0123456789abcdef.kv", false)]
    [InlineData("0123456789abcdef0123456789abcdef/none/aa/aabbcc/0-4-4-0123456789abcdef.kv.bak", false)]
    [InlineData("0123456789abcdef0123456789abcdef/none/aa/aabbcc/00-4-4-0123456789abcdef.kv", false)]
    public void IsRecord_Path_IsTrueOnlyForWhatIsPrintedHere(string path, bool isRecord) => Assert.Equal(isRecord, RecordPath.IsRecord(path));

    [Fact]
    public void IsRecord_AnyText_NeverThrows() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789abcdef/-.kvnoe"], 0, 200]).Sample(text =>
        {
            var isRecord = RecordPath.IsRecord(text);
            Assert.True(isRecord || RecordPath.TryRecord(text, 2048) is null);
        });
}
