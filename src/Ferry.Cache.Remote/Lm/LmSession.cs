using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;

namespace Ferry.Cache.Remote.Lm;

/// <summary>One client: one request after the other.</summary>
internal sealed class LmSession : IDisposable
{
    private const int KeysAtOnce = 1000;
    private const long LingerBytesMax = 64L << 20;

    private readonly LmFront _front;
    private readonly ClientFront _listener;
    private readonly FrontConnection _connection;
    private readonly FrontInput _input;
    private readonly FrontOutput _output;
    private LmForm? _form;
    private LmRequest _request;

    public LmSession(LmFront front, ClientFront listener, FrontConnection connection)
    {
        _front = front;
        _listener = listener;
        _connection = connection;
        _input = new FrontInput(connection, front.Options.BufferBytes, front.Options.BufferBytes);
        _output = new FrontOutput(connection, front.Options.BufferBytes);
    }

    /// <summary>The name under which LMCache's <c>redis://</c> client asks for a value's metadata.</summary>
    private static ReadOnlySpan<byte> NoteSuffix => "metadata"u8;

    private ReadOnlyMemory<byte> Key => _input.Memory(_request.KeyOffset, _request.KeyBytes);

    public async ValueTask<FrontEnd> RunAsync()
    {
        while (true)
        {
            if (!await ReceiveAsync(LmWire.FormBytes))
            {
                return _listener.IsStopping && _connection.IsOpen ? FrontEnd.Stopping : _connection.End;
            }
            _form ??= LmWire.FindForm(_input.Unread);
            if (_form is not { } form)
            {
                return await BreakAsync("the first request has neither of the headers of lm://; is this a client of another protocol?");
            }
            var headerBytes = LmWire.RequestBytes(form);
            if (!await ReceiveAsync(headerBytes))
            {
                return _connection.End;
            }
            _connection.Deadline.Pause();
            _request = LmWire.Read(_input.Unread[..headerBytes], form, _front.Options.ValueBytesMax, out var problem);
            if (problem is not null)
            {
                return await BreakAsync(problem);
            }
            if (!await AnswerAsync(headerBytes))
            {
                return _connection.End;
            }
            _input.Consume(headerBytes);
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
    }

    /// <summary>Waits until so much is there; a started header has the stall timeout, once.</summary>
    private async ValueTask<bool> ReceiveAsync(int byteCount)
    {
        var isArmed = false;
        while (_input.UnreadCount < byteCount)
        {
            await _output.FlushAsync();
            if (_input.UnreadCount == 0)
            {
                _connection.Deadline.Idle(isTrusted: true);
                if (_listener.IsStopping)
                {
                    return false;
                }
            }
            else if (!isArmed)
            {
                _connection.Deadline.Step();
                isArmed = true;
            }
            if (!await _input.ReceiveAsync())
            {
                return false;
            }
        }
        return true;
    }

    private async ValueTask<bool> AnswerAsync(int headerBytes)
    {
        switch (_request.Command)
        {
            case LmCommand.Put:
                return await PutAsync(headerBytes);
            case LmCommand.Get:
                await GetAsync();
                break;
            case LmCommand.Exist:
                await ReplyAsync(await ExistsAsync());
                break;
            case LmCommand.List:
                await ListAsync();
                break;
            default:
                await ReplyAsync(found: true);
                break;
        }
        return _connection.IsOpen;
    }

    /// <summary>Has no reply: a value that finds no place is read past and counted.</summary>
    private async ValueTask<bool> PutAsync(int headerBytes)
    {
        var started = _front.Time.GetTimestamp();
        var outcome = BeginPut(out var write);
        using (write)
        {
            if (!await _input.TakeAsync(headerBytes, _request.ValueBytes, write))
            {
                return false;
            }
            _connection.Deadline.Pause();
            if (write is not null)
            {
                await write.CommitAsync(_listener.Aborting);
            }
        }
        var isStored = outcome is ClientPutOutcome.Ready or ClientPutOutcome.Present;
        if (!isStored)
        {
            _front.CountRefused(_connection, _request.ValueBytes, outcome);
        }
        _front.Counters.Count(LmCommand.Put, isStored);
        _front.Counters.PutSeconds.Observe(_front.Time.GetElapsedTime(started).TotalSeconds);
        return true;
    }

    private ClientPutOutcome BeginPut(out ClientWrite? write)
    {
        Span<byte> note = stackalloc byte[LmShape.NoteBytes];
        _request.Shape.WriteNote(_request.ValueBytes, note);
        return _front.Store.BeginPut(Key.Span, _request.ValueBytes, note, out write);
    }

    private async ValueTask GetAsync()
    {
        var started = _front.Time.GetTimestamp();
        using var value = _request.KeyBytes == 0 ? null : await _front.Store.TryGetAsync(Key, _listener.Aborting);
        // Without LMCache's metadata the client could not be told what the bytes are: to it they are not there.
        if (value is null || LmShape.TryReadNote(value.Note.Span, value.Bytes.Length) is not { } shape)
        {
            await ReplyAsync(found: false);
            return;
        }
        _front.Counters.Count(LmCommand.Get, found: true);
        await _output.ReserveAsync();
        WriteReply(LmWire.SuccessCode, value.Bytes.Length, shape);
        await _output.WriteAsync(value.Bytes);
        _front.Counters.GetSeconds.Observe(_front.Time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>True only for what GET delivers: the value, and LMCache's metadata beside it.</summary>
    private async ValueTask<bool> ExistsAsync()
    {
        if (_request.KeyBytes == 0 || !await _front.Store.ExistsAsync(Key, _listener.Aborting))
        {
            return false;
        }
        byte[] noteKey = [.. Key.Span, .. NoteSuffix];
        if (await _front.Store.ExistsAsync(noteKey, _listener.Aborting))
        {
            return true;
        }
        // Of a key that LMCache does not print nobody knows a name for its metadata: only the value itself tells.
        using var value = await _front.Store.TryGetAsync(Key, _listener.Aborting);
        return value is not null && LmShape.TryReadNote(value.Note.Span, value.Bytes.Length) is not null;
    }

    /// <summary>Keys in memory, one a line.</summary>
    private async ValueTask ListAsync()
    {
        using var lines = new MemoryStream();
        ulong cursor = 0;
        do
        {
            var (keys, next) = _front.Store.Scan(cursor, KeysAtOnce);
            foreach (var key in keys)
            {
                AddLine(lines, ClientKey.Parse(key));
            }
            cursor = next;
        }
        while (cursor != 0 && lines.Length < _front.Options.ListBytesMax - LmWire.KeyBytesMax);
        _front.Counters.Count(LmCommand.List, found: true);
        await _output.ReserveAsync();
        WriteReply(LmWire.SuccessCode, (int)lines.Length, LmShape.OfNothing);
        await _output.WriteAsync(lines.GetBuffer().AsMemory(0, (int)lines.Length));
    }

    /// <summary>A pair of the <c>redis://</c> client is one value here, under the name without a suffix.</summary>
    private void AddLine(MemoryStream lines, ClientKey key)
    {
        var name = key.Text.Span;
        if (key.Part != ClientKeyPart.PairNote && name.Length <= LmWire.KeyBytesMax && !name.Contains((byte)'\n') && lines.Length + name.Length < _front.Options.ListBytesMax)
        {
            lines.Write(lines.Length > 0 ? "\n"u8 : []);
            lines.Write(name);
        }
    }

    private async ValueTask ReplyAsync(bool found)
    {
        _front.Counters.Count(_request.Command, found);
        await _output.ReserveAsync();
        WriteReply(found ? LmWire.SuccessCode : LmWire.FailureCode, 0, LmShape.OfNothing);
    }

    /// <summary>Into the buffer that leaves whole: LMCache's client takes one receive for the whole header.</summary>
    private void WriteReply(int code, int valueBytes, LmShape shape)
    {
        var form = _form ?? LmForm.WithLocation;
        LmWire.WriteReply(form, code, valueBytes, shape, _output.Free);
        _output.Advance(LmWire.ReplyBytes(form));
    }

    private async ValueTask<FrontEnd> BreakAsync(string problem)
    {
        _front.LogProtocolError(_connection, problem);
        await _output.ReserveAsync();
        WriteReply(LmWire.FailureCode, 0, LmShape.OfNothing);
        await _output.FlushAsync();
        await _connection.LingerAsync(FrontEnd.Protocol, LingerBytesMax, _input.Scratch);
        return FrontEnd.Protocol;
    }
}
