using CsCheck;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Planning.Simulation;
using Xunit;

namespace Ferry.UnitTests.Cluster.Planning.Simulation;

public sealed class TraceFileTests
{
    private static Gen<string> Piece(params string[] pieces) => Gen.Int[0, pieces.Length - 1].Select(piece => pieces[piece]);

    private static Trace Read(string text) => TraceFile.Read(new StringReader(text), "t.jsonl");

    [Fact]
    public void Read_LinesOutOfOrder_AreSortedAndBlocksNumberedFromZero()
    {
        var trace = Read("""
            {"timestamp": 3000, "input_length": 600, "output_length": 5, "hash_ids": [9000000000, 7]}
            {"output_length": 2, "timestamp": 1000, "other": {"a": [1]}, "input_length": 10, "hash_ids": [7]}

            {"timestamp": 2000, "input_length": 10, "output_length": 0}
            """);

        Assert.Equal((3, 3, 2), (trace.Count, trace.BlockCount, trace.DifferentBlocks));
        Assert.Equal([0, 1, 2], trace.Seconds);
        Assert.Equal([10, 10, 600], trace.InputTokens);
        Assert.Equal([2, 1, 5], trace.OutputTokens);
        Assert.Equal(trace.BlocksOf(0)[0], trace.BlocksOf(2)[1]);
    }

    [Theory]
    [InlineData("""{"timestamp": 1, "input_length": 0, "output_length": 1}""", "an input_length of 1..")]
    [InlineData("""{"input_length": 1, "output_length": 1}""", "a finite timestamp")]
    [InlineData("""{"timestamp": "1", "input_length": 1, "output_length": 1}""", "no request")]
    [InlineData("""{"timestamp": 1, "input_length": 1.5, "output_length": 1}""", "no request")]
    [InlineData("""{"timestamp": 1, "input_length": 99999999999, "output_length": 1}""", "no request")]
    [InlineData("""{"timestamp": 1, "input_length": 1, "output_length": 1, "hash_ids": 3}""", "hash_ids as a list")]
    [InlineData("""{"timestamp": 1, "input_length": 1, "output_length": 1, "hash_ids": [[]]}""", "no request")]
    [InlineData("[1]", "a JSON object")]
    [InlineData("timestamp,input", "no request")]
    public void Read_LineThatIsNoRequest_IsNamedWithItsNumber(string line, string expected)
    {
        var message = Assert.Throws<PlanException>(() => Read("\n" + line)).Message;

        Assert.StartsWith("t.jsonl:2: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_EmptyFile_IsRefused() => Assert.Throws<PlanException>(() => Read("\n\n"));

    [Fact]
    public void Read_AnyText_IsATraceOrAPlanException() =>
        Piece("{", "}", "[", "]", ":", ",", "\"timestamp\"", "\"hash_ids\"", "\"input_length\"", "\"output_length\"", "1", "-1", "1e999", "null", "\n", "\"", "\\u", "\uD800").Array[0, 40]
            .Select(string.Concat).Sample(
                text =>
                {
                    try
                    {
                        return Read(text).Count > 0;
                    }
                    catch (PlanException)
                    {
                        return true;
                    }
                },
                iter: 10_000);

    [Fact]
    public void Repeat_Trace_PlaysItAgainWithTheSameBlocks()
    {
        var trace = Read("""
            {"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]}
            {"timestamp": 1000, "input_length": 600, "output_length": 5, "hash_ids": [1]}
            """).Repeat(3);

        Assert.Equal((6, 9, 2), (trace.Count, trace.BlockCount, trace.DifferentBlocks));
        Assert.Equal([0, 1, 2, 3, 4, 5], trace.Seconds);
        Assert.Equal(trace.BlocksOf(0).ToArray(), trace.BlocksOf(4).ToArray());
    }
}
