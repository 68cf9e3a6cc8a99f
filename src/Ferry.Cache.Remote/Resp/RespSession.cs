using System.Text;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Fronts;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>One client: reads its commands, runs them in order, gathers the replies.</summary>
internal sealed class RespSession : IDisposable
{
    /// <summary>Bytes read past after a last error, so that it arrives: a client may be in the middle of a long value.</summary>
    private const long LingerBytesMax = 1L << 30;

    private const int PasswordTriesMax = 8;

    private readonly ClientFront _listener;
    private readonly RespParser _parser;
    private ClientPutOutcome _putOutcome;
    private ClientWrite? _write;
    private RespCommand? _lastCommand;
    private bool _isArmed;
    private int _wrongPasswords;
    private long _since; // When the command that runs had all its bytes and its turn.

    public RespSession(RespFront front, ClientFront listener, FrontConnection connection)
    {
        Front = front;
        _listener = listener;
        Connection = connection;
        _parser = new RespParser(front.Limits);
        Input = new FrontInput(connection, front.Options.BufferBytes, front.Limits.CommandBytesMax);
        Output = new FrontOutput(connection, front.Options.BufferBytes);
        Id = front.NextConnectionId();
        IsTrusted = front.Password is null;
    }

    public RespFront Front { get; }

    public FrontConnection Connection { get; }

    public FrontInput Input { get; }

    public FrontOutput Output { get; }

    public int Id { get; }

    public int ConnectionCount => _listener.ConnectionCount;

    public CancellationToken Aborting => _listener.Aborting;

    /// <summary>Gave the password, or none is asked for.</summary>
    public bool IsTrusted { get; private set; }

    /// <summary>After HELLO 3: nulls and maps have types of their own.</summary>
    public bool IsResp3 { get; set; }

    /// <summary>The client has introduced itself by HELLO or CLIENT, or types lines: it reads errors as they come, and its connection can go on after one.</summary>
    public bool ReadsErrors { get; set; }

    public string ClientName { get; set; } = "";

    public RespOutcome Outcome { get; set; }

    /// <summary>Set by a command that ends the connection.</summary>
    public FrontEnd? Ending { get; set; }

    /// <summary>Words of the command, its name among them.</summary>
    public int Count => _parser.Count;

    public ReadOnlyMemory<byte> this[int index] => Input.Memory(_parser[index].Offset, _parser[index].ByteCount);

    public string Text(int index) => Encoding.UTF8.GetString(this[index].Span);

    public bool Is(int index, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(this[index].Span, word);

    public async ValueTask<FrontEnd> RunAsync()
    {
        while (true)
        {
            switch (_parser.Read(Input.Unread, IsTrusted))
            {
                case RespParse.NeedMore:
                    if (await ReceiveAsync() is { } end)
                    {
                        return end;
                    }
                    break;
                case RespParse.Command:
                    if (await ExecuteAsync() is { } last)
                    {
                        return last;
                    }
                    break;
                case RespParse.Value:
                    if (!await TakeValueAsync())
                    {
                        return Connection.End;
                    }
                    break;
                default:
                    return await BreakAsync(_parser.Error);
            }
        }
    }

    /// <summary>The place of the SET's value: filled already, or to be filled from the command's third word.</summary>
    /// <param name="write">Owned by the caller from now on.</param>
    public ClientPutOutcome TakeWrite(out ClientWrite? write)
    {
        if (!_parser.IsValueTaken)
        {
            var value = this[2].Span;
            _putOutcome = Front.Store.BeginPut(this[1].Span, value.Length, [], out _write);
            _write?.Append(value);
        }
        write = _write;
        _write = null;
        return _putOutcome;
    }

    public int ValueBytes => _parser.IsValueTaken ? _parser.ValueBytes : this[2].Length;

    /// <summary>Answers an error; a connection whose client may take it for something else ends after it.</summary>
    public void Fail(string message)
    {
        Outcome = RespOutcome.Error;
        Output.WriteError(message);
    }

    public bool TryPassword(ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
    {
        if (Front.Password!.Matches(user, password))
        {
            IsTrusted = true;
            return true;
        }
        Fail("WRONGPASS invalid username-password pair or user is disabled.");
        if (++_wrongPasswords == PasswordTriesMax)
        {
            Ending = FrontEnd.AfterError;
        }
        return false;
    }

    public void Dispose()
    {
        _write?.Dispose();
        Input.Dispose();
        Output.Dispose();
    }

    private async ValueTask<FrontEnd?> ReceiveAsync()
    {
        if (!_parser.MayGrow(Input.UnreadCount))
        {
            return await BreakAsync($"a command has at most {Front.Limits.CommandBytesMax} bytes besides the value of a SET");
        }
        var isIdle = Input.UnreadCount == 0;
        // In the middle of a command the rest is on its way, and often there: then what was answered waits for the answers to come, and the client wakes once.
        if (!Output.IsEmpty && (isIdle || !Connection.HasBytes))
        {
            await Output.FlushAsync();
        }
        if (isIdle)
        {
            Connection.Deadline.Idle(IsTrusted);
            if (_listener.IsStopping)
            {
                return FrontEnd.Stopping;
            }
        }
        else if (!_isArmed)
        {
            Connection.Deadline.Step(); // Once a command: each byte does not buy more time.
            _isArmed = true;
        }
        var isThere = await Input.ReceiveAsync();
        _since = Front.Time.GetTimestamp();
        if (isIdle)
        {
            Connection.Deadline.Pause();
        }
        return isThere ? null : Connection.End;
    }

    /// <remarks>A command that is answered at once, as nearly all are, makes no state machine.</remarks>
    private ValueTask<FrontEnd?> ExecuteAsync()
    {
        if (_isArmed)
        {
            Connection.Deadline.Pause();
            _isArmed = false;
        }
        if (Count > 0)
        {
            var running = Output.HasRoom ? RunCommandAsync() : FlushAndRunAsync();
            if (!running.IsCompletedSuccessfully)
            {
                return FinishAsync(running);
            }
        }
        Next();
        return Ending is null && Connection.IsOpen ? default : EndAsync();
    }

    private async ValueTask FlushAndRunAsync()
    {
        await Output.FlushAsync();
        _since = Front.Time.GetTimestamp();
        await RunCommandAsync();
    }

    private async ValueTask<FrontEnd?> FinishAsync(ValueTask running)
    {
        await running;
        Next();
        return Ending is null && Connection.IsOpen ? null : await EndAsync();
    }

    private void Next()
    {
        Input.Consume(_parser.ConsumedCount);
        _parser.Next();
    }

    private async ValueTask<FrontEnd?> EndAsync()
    {
        if (Ending is not { } ending)
        {
            return Connection.End;
        }
        await Output.FlushAsync();
        await Connection.LingerAsync(ending, LingerBytesMax, Input.Scratch);
        return ending;
    }

    private ValueTask RunCommandAsync()
    {
        Outcome = RespOutcome.Ok;
        // Who pipelines repeats a command: its name is compared before it is looked up.
        var command = _lastCommand is { } last && Ascii.EqualsIgnoreCase(this[0].Span, last.Name) ? last : RespCommands.TryFind(this[0].Span);
        _lastCommand = command;
        if (command is null)
        {
            AnswerUnknown();
            return ValueTask.CompletedTask;
        }
        var running = ValueTask.CompletedTask;
        if (!IsTrusted && !command.IsOpenToAll)
        {
            Fail("NOAUTH Authentication required.");
        }
        else if (Count < command.CountMin || Count > command.CountMax)
        {
            Fail($"ERR wrong number of arguments for '{command.Name.ToLowerInvariant()}' command");
        }
        else
        {
            running = command.Run(this);
        }
        if (!running.IsCompletedSuccessfully)
        {
            return CountAsync(command, running);
        }
        CountCommand(command);
        return ValueTask.CompletedTask;
    }

    private void AnswerUnknown()
    {
        Front.Counters.Unknown.Add();
        if (!IsTrusted)
        {
            Fail("NOAUTH Authentication required.");
            return;
        }
        RespUnknown.Answer(this);
    }

    private async ValueTask CountAsync(RespCommand command, ValueTask running)
    {
        await running;
        CountCommand(command);
    }

    private void CountCommand(RespCommand command)
    {
        _write?.Dispose(); // Of a SET that was not run.
        _write = null;
        var now = Front.Time.GetTimestamp();
        Front.Counters.Count(command, Outcome, Front.Time.GetElapsedTime(_since, now));
        _since = now; // The next begins, if it is here already: one reading of the clock a command.
        if (Outcome == RespOutcome.Error && command.HasFixedReply && !ReadsErrors)
        {
            Ending ??= FrontEnd.AfterError;
        }
    }

    private async ValueTask<bool> TakeValueAsync()
    {
        await Output.FlushAsync(); // What was asked before is answered before a long wait.
        _putOutcome = Front.Store.BeginPut(this[1].Span, _parser.ValueBytes, [], out _write);
        if (!await Input.TakeAsync(_parser.ValueOffset, _parser.ValueBytes, _write))
        {
            return false;
        }
        _parser.ValueTaken();
        _since = Front.Time.GetTimestamp();
        _isArmed = false;
        Connection.Deadline.Pause();
        return true;
    }

    private async ValueTask<FrontEnd> BreakAsync(string problem)
    {
        Front.LogProtocolError(Connection, new ByteText(Encoding.UTF8.GetBytes(problem)).ToString());
        await Output.ReserveAsync();
        Output.WriteError($"ERR {problem}");
        await Output.FlushAsync();
        await Connection.LingerAsync(FrontEnd.Protocol, LingerBytesMax, Input.Scratch);
        return FrontEnd.Protocol;
    }
}
