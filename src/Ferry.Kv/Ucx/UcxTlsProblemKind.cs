namespace Ferry.Kv.Ucx;

/// <summary>What is wrong with a UCX_TLS value.</summary>
public enum UcxTlsProblemKind
{
    /// <summary>Empty, or nothing between two commas.</summary>
    Empty,

    /// <summary>Longer than <see cref="UcxTls.CharactersMax"/>.</summary>
    TooLong,

    /// <summary>UCX does not trim spaces, so the name is another one.</summary>
    Space,

    /// <summary><c>^</c> behind the first character, or <c>all</c> in a list.</summary>
    Misplaced,

    /// <summary>No transport and no alias of any release.</summary>
    Unknown,

    /// <summary>A transport of another maker's accelerator.</summary>
    ForeignAccelerator,

    /// <summary>Known, but not to the release at hand.</summary>
    OtherRelease,

    /// <summary>Nothing is left that could carry a connection between two processes.</summary>
    NoMessages,
}
