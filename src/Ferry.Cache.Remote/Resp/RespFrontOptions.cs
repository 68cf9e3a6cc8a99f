using Ferry.Cache.Remote.Fronts;

namespace Ferry.Cache.Remote.Resp;

/// <summary>The RESP front: where it listens, who may use it, and its bounds.</summary>
public sealed record RespFrontOptions : FrontOptions
{
    public override string Section => "cache.resp";

    /// <summary>Null: nobody is asked. Never logged.</summary>
    public string? Password { get; init; }

    /// <summary>The one user that <c>AUTH user password</c> accepts; <c>AUTH password</c> means Redis' <c>default</c>.</summary>
    public string User { get; init; } = "default";

    /// <summary>False: FLUSHDB and FLUSHALL are refused, so that no stray client empties a fleet's cache.</summary>
    public bool AllowFlush { get; init; }

    /// <summary>Bytes of one command without the value of a SET: its keys and options. A longer one is refused and the connection closed.</summary>
    public int CommandBytesMax { get; init; } = 256 << 10;

    /// <summary>Every error at once, each with path, value, limit and way out; empty when usable.</summary>
    public override IReadOnlyList<string> Validate()
    {
        var errors = new List<string>(base.Validate());
        Bound(errors, "commandBytesMax", CommandBytesMax, 64 << 10, 16 << 20);
        if (Password is { Length: 0 })
        {
            errors.Add($"{Section}.password is empty; give one, or leave it out to ask nobody.");
        }
        if (User.Length == 0 || User.AsSpan().ContainsAny(" \r\n\t"))
        {
            errors.Add($"{Section}.user is \"{User}\"; a user name has no blanks and at least one character.");
        }
        return errors;
    }

    /// <summary>Without the password.</summary>
    public override string ToString() => $"{Section} on {Host}:{Port}";
}
