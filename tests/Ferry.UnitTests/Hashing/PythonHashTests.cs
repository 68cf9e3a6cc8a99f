using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

/// <summary>Expected values printed by CPython 3.11.</summary>
public sealed class PythonHashTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(-1, -2)]
    [InlineData(-2, -2)]
    [InlineData(2305843009213693950, 2305843009213693950)]
    [InlineData(2305843009213693951, 0)]
    [InlineData(2305843009213693952, 1)]
    [InlineData(-2305843009213693952, -2)]
    [InlineData(-2305843009213693951, 0)]
    [InlineData(-2305843009213693953, -2)]
    [InlineData(long.MaxValue, 3)]
    [InlineData(long.MinValue, -4)]
    public void Integer_AroundTheModulus_IsPythonsHash(long value, long expected) => Assert.Equal(expected, PythonHash.Integer(value));

    [Theory]
    [InlineData("0", 0, 5313149338359954478)]
    [InlineData("12345", 12345, -4397775130427955790)]
    [InlineData("42", 42, 866561823186450123)]
    [InlineData("", 7, 0)]
    [InlineData("a", 1, -3012895188637184397)]
    [InlineData("1234567", 4294967295, 3252029075405927272)]
    [InlineData("12345678", 3, -1064352260161299604)]
    [InlineData("123456789abcdefgh", 0, 78424065292164886)]
    public void Text_SeededProcess_IsPythonsHash(string text, uint seed, long expected) => Assert.Equal(expected, PythonHash.Text(text, seed));

    [Theory]
    [InlineData(new long[] { 0 }, -8753497827991233192)]
    [InlineData(new long[] { 1, 2, 3, 4 }, 590899387183067792)]
    [InlineData(new long[] { -1 }, 8078679518589016365)]
    [InlineData(new long[] { -5, 7 }, -5576467919967662750)]
    [InlineData(new long[] { 2305843009213693951, 4611686018427387904, long.MinValue }, 5922612658620043506)]
    [InlineData(new long[] { 128000, 13, 2147483647, 65536 }, 1251857529425654688)]
    public void Tokens_Tuple_IsPythonsHash(long[] tokens, long expected) => Assert.Equal(expected, PythonHash.Tokens<long>(tokens));

    [Fact]
    public void EmptyTuple_IsPythonsHash() => Assert.Equal(5740354900026072187, PythonHash.EmptyTuple);
}
