using System.Text;
using CsCheck;
using Ferry.Router.Forwarding;
using Xunit;

namespace Ferry.UnitTests.Router;

public sealed class SseTailTests
{
    [Theory]
    [InlineData("", true, false)]
    [InlineData("data: {}", false, false)]
    [InlineData("data: {}\n\n", true, false)]
    [InlineData("data: {}\n\ndata: [DONE]\n\n", true, true)]
    [InlineData("data: {}\r\n\r\ndata: [DONE]\r\n\r\n", true, true)]
    public void Append_HoweverTheBytesAreCut_SeesTheSameEnd(string stream, bool atEventEnd, bool done)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        Gen.Int[0, Math.Max(bytes.Length, 1)].Array[0, 8].Sample(cuts =>
        {
            var tail = new SseTail();
            int[] ends = [.. cuts.Select(cut => Math.Min(cut, bytes.Length)).Order(), bytes.Length];
            var start = 0;
            foreach (var end in ends)
            {
                tail.Append(bytes.AsSpan(start..end));
                start = end;
            }
            return (tail.IsAtEventEnd, tail.EndsWithDone) == (atEventEnd, done);
        }, iter: 200);
    }
}
