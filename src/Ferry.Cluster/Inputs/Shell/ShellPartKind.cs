namespace Ferry.Cluster.Inputs.Shell;

internal enum ShellPartKind
{
    /// <summary>Characters as they are, quotes and escapes gone.</summary>
    Literal,

    /// <summary><c>$NAME</c>, <c>${NAME}</c>, <c>${NAME:-default}</c>.</summary>
    Variable,

    /// <summary><c>${NAME[@]}</c> or <c>${NAME[*]}</c>.</summary>
    Array,

    /// <summary>Known only when it runs: <c>$(…)</c>, <c>$1</c>, or a placeholder such as <c>&lt;node-ip&gt;</c>.</summary>
    Unknown,
}
