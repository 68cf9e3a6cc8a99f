using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Peers;

/// <summary>One connection to a peer's RESP front: a question, its answer, the next. Whoever has it has it alone; after an exception it is of no more use.</summary>
internal sealed class PeerConnection : IDisposable
{
    private const int BufferBytes = 16 << 10;
    private const int LineBytesMax = 2048; // An error's line is the longest.

    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;

    private PeerConnection(Stream stream) => _stream = stream;

    /// <summary>The peer's own, new with each of its starts.</summary>
    public string PeerId { get; private set; } = "";

    /// <summary>Whether something of the answer has come since <see cref="Begin"/>.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Connects, gives the password and learns who answers.</summary>
    /// <exception cref="PeerException">It cannot be reached, is no exchange of this version, or refuses the password.</exception>
    public static async Task<PeerConnection> OpenAsync(PeerTierOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(options.Host, options.Port, cancellationToken);
            var connection = new PeerConnection(await SecureAsync(new NetworkStream(socket, ownsSocket: true), options, cancellationToken));
            await connection.IntroduceAsync(options, time, cancellationToken);
            return connection;
        }
        catch (Exception error) when (error is SocketException or AuthenticationException or CryptographicException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new PeerException($"it cannot be reached: {error.Message}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A new question begins.</summary>
    public void Begin() => HasAnswered = false;

    /// <summary>Asks which records the peer has of some chunks.</summary>
    /// <returns>An answer a key, as it came.</returns>
    public async Task<string[]> FindAsync(IReadOnlyList<string> keys, ProgressDeadline deadline)
    {
        await SendAsync(["FERRY.FIND", .. keys], deadline);
        if (await ReadNumberAsync('*', deadline) != keys.Count)
        {
            throw new PeerException($"it answered for another number of chunks than the {keys.Count} it was asked for");
        }
        var answers = new string[keys.Count];
        for (var index = 0; index < answers.Length; index++)
        {
            answers[index] = await ReadTextAsync(PeerWire.AnswerBytesMax, deadline);
        }
        return answers;
    }

    /// <summary>Reads one record.</summary>
    /// <returns>False when the peer has it no more.</returns>
    public async Task<bool> ReadAsync(string key, string shard, Memory<byte> destination, ProgressDeadline deadline)
    {
        await SendAsync(["FERRY.READ", key, shard], deadline);
        var byteCount = await ReadNumberAsync('$', deadline);
        if (byteCount < 0)
        {
            return false;
        }
        if (byteCount != destination.Length)
        {
            throw new PeerException($"it sends {byteCount} bytes for a record that it said has {destination.Length}");
        }
        await FillAsync(destination, deadline);
        await ReadLineEndAsync(deadline);
        return true;
    }

    /// <summary>Asks the peer to prove its own copy of a record.</summary>
    /// <returns>False when that was damaged.</returns>
    public async Task<bool> ProveAsync(string key, string shard, ProgressDeadline deadline)
    {
        await SendAsync(["FERRY.PROVE", key, shard], deadline);
        return await ReadNumberAsync(':', deadline) != 0;
    }

    public void Dispose() => _stream.Dispose();

    private static async Task<Stream> SecureAsync(NetworkStream stream, PeerTierOptions options, CancellationToken cancellationToken)
    {
        if (options.AuthorityFile is not { } authority)
        {
            return stream;
        }
        var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = options.Host, CertificateChainPolicy = OwnAuthority.TrustOnly(authority) }, cancellationToken);
        return tls;
    }

    private async Task IntroduceAsync(PeerTierOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new ProgressDeadline(options.AnswerTimeout, options.AnswerTimeout, options.AnswerTimeout, time, cancellationToken);
        if (options.Password is { } password)
        {
            await SendAsync(["AUTH", options.User, password], deadline);
            await ReadLineAsync(deadline);
        }
        await SendAsync(["FERRY.PEER", PeerWire.Version.ToString(CultureInfo.InvariantCulture)], deadline);
        if (await ReadNumberAsync('*', deadline) != 2 || await ReadNumberAsync(':', deadline) != PeerWire.Version)
        {
            throw new PeerException("it speaks another version of this protocol");
        }
        PeerId = await ReadTextAsync(LineBytesMax, deadline);
    }

    private async Task SendAsync(IReadOnlyList<string> words, ProgressDeadline deadline)
    {
        using var question = new MemoryStream();
        question.Write(Encoding.ASCII.GetBytes($"*{words.Count}\r\n"));
        foreach (var word in words)
        {
            var bytes = Encoding.UTF8.GetBytes(word);
            question.Write(Encoding.ASCII.GetBytes($"${bytes.Length}\r\n"));
            question.Write(bytes);
            question.Write("\r\n"u8);
        }
        await _stream.WriteAsync(question.GetBuffer().AsMemory(0, (int)question.Length), deadline.Token);
        deadline.AwaitAnswer();
    }

    private async Task<long> ReadNumberAsync(char type, ProgressDeadline deadline)
    {
        var line = await ReadLineAsync(deadline);
        return line.Length > 1 && line[0] == type && long.TryParse(line.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new PeerException($"it answers '{Shown(line)}': no exchange does");
    }

    private async Task<string> ReadTextAsync(int bytesMax, ProgressDeadline deadline)
    {
        var byteCount = await ReadNumberAsync('$', deadline);
        if (byteCount < 0 || byteCount > bytesMax)
        {
            throw new PeerException($"it sends {byteCount} bytes where at most {bytesMax} can be");
        }
        var bytes = new byte[byteCount];
        await FillAsync(bytes, deadline);
        await ReadLineEndAsync(deadline);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <exception cref="PeerException">The line is an error, or there is none.</exception>
    private async Task<string> ReadLineAsync(ProgressDeadline deadline)
    {
        int length;
        while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
        {
            if (_end - _start > LineBytesMax)
            {
                throw new PeerException($"it sends a line of more than {LineBytesMax} bytes: no exchange does");
            }
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            _end += await ReceiveAsync(_buffer.AsMemory(_end), deadline);
        }
        var line = Encoding.UTF8.GetString(_buffer, _start, length);
        _start += length + 2;
        return line.StartsWith('-') ? throw new PeerException($"it answers '{Shown(line)}'") : line;
    }

    private async Task ReadLineEndAsync(ProgressDeadline deadline)
    {
        if ((await ReadLineAsync(deadline)).Length > 0)
        {
            throw new PeerException("its bytes are longer than it said");
        }
    }

    private async Task FillAsync(Memory<byte> destination, ProgressDeadline deadline)
    {
        var held = Math.Min(destination.Length, _end - _start);
        _buffer.AsMemory(_start, held).CopyTo(destination);
        _start += held;
        while (held < destination.Length)
        {
            held += await ReceiveAsync(destination[held..], deadline);
        }
    }

    private async Task<int> ReceiveAsync(Memory<byte> destination, ProgressDeadline deadline)
    {
        var count = await _stream.ReadAsync(destination, deadline.Token);
        if (count == 0)
        {
            throw new PeerException("it closed the connection");
        }
        HasAnswered = true;
        deadline.Moved(count);
        return count;
    }

    /// <summary>What a hostile peer says must not reach a terminal as it is.</summary>
    private static string Shown(string line) => new ByteText(Encoding.UTF8.GetBytes(line[..Math.Min(line.Length, 200)])).ToString();
}
