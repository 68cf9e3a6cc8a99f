using System.Text;

namespace Ferry.Benchmarks.Fronts;

internal sealed class RespLoad : LoadConnection
{
    private static readonly byte[] LineEnd = "\r\n"u8.ToArray();

    private readonly byte[] _value;
    private readonly byte[] _reply;
    private readonly byte[] _replyHeader;

    /// <param name="countMax">Values at a time.</param>
    public RespLoad(int port, int valueBytes, int countMax)
        : base(port, valueBytes)
    {
        _value = new byte[valueBytes];
        new Random(valueBytes).NextBytes(_value);
        _replyHeader = Encoding.ASCII.GetBytes($"${valueBytes}\r\n");
        _reply = new byte[countMax * (_replyHeader.Length + valueBytes + 2)];
    }

    public override void Set(int key, int count)
    {
        var pieces = new List<ArraySegment<byte>>(3 * count);
        for (var index = 0; index < count; index++)
        {
            var name = Name(key + index);
            pieces.Add(Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n${name.Length}\r\n{name}\r\n${ValueBytes}\r\n"));
            pieces.Add(_value);
            pieces.Add(LineEnd);
        }
        Socket.Send(pieces);
        var reply = _reply.AsSpan(0, 5 * count);
        Receive(reply);
        Require(reply.StartsWith("+OK\r\n"u8) && reply.EndsWith("+OK\r\n"u8), "+OK");
    }

    public override void Get(int key, int count)
    {
        var questions = new StringBuilder();
        for (var index = 0; index < count; index++)
        {
            var name = Name(key + index);
            questions.Append($"*2\r\n$3\r\nGET\r\n${name.Length}\r\n{name}\r\n");
        }
        Socket.Send(Encoding.ASCII.GetBytes(questions.ToString()));
        var each = _replyHeader.Length + ValueBytes + 2;
        Receive(_reply.AsSpan(0, count * each));
        for (var index = 0; index < count; index++)
        {
            var reply = _reply.AsSpan(index * each, each);
            Require(reply.StartsWith(_replyHeader) && reply[_replyHeader.Length] == _value[0] && reply[^3] == _value[^1], "the value");
        }
    }

    public static string Name(int valueBytes, int key) => $"meta-llama/Llama-3.1-8B@{valueBytes}@{key:x8}@bfloat16";

    private string Name(int key) => Name(ValueBytes, key);
}
