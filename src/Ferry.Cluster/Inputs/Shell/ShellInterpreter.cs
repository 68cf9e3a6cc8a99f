using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Shell;

/// <summary>Follows a script from its first command to its last: assignments, exports, and the commands with their variables replaced. Executes nothing.</summary>
/// <param name="find">The settings of a file that the script sources, as far as it is among the inputs.</param>
internal sealed class ShellInterpreter(ShellScope scope, Func<string, IReadOnlyList<EnvironmentSetting>>? find = null)
{
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time", "exec", "sudo", "nohup", "command", "setsid", "builtin", "eval",
    };

    private bool _exportsAll;

    /// <summary>The commands that are more than assignments.</summary>
    public IEnumerable<ShellCommand> Run(IReadOnlyList<ShellStatement> statements)
    {
        foreach (var statement in statements)
        {
            if (Interpret(statement) is { } command) { yield return command; }
        }
    }

    private ShellCommand? Interpret(ShellStatement statement)
    {
        var words = statement.Words;
        var unset = new List<(string Name, SourceSpan Span)>();
        var at = 0;
        while (at < words.Count && Keywords.Contains(words[at].Raw)) { at += words[at].Raw is "sudo" ? SudoLength(words, at) : 1; }
        var prefix = new List<ShellVariable>();
        while (at < words.Count && words[at].AssignedNameLength() > 0)
        {
            prefix.Add(Variable(words[at++], isExported: _exportsAll, unset));
        }
        if (at >= words.Count)
        {
            foreach (var variable in prefix) { scope.Assign(variable); }
            return statement.Redirects.Any(redirect => redirect.Body is not null) ? Command([], prefix, statement, unset) : null;
        }
        return IsShellBuiltin(words, at, unset) ? null : Command(Expand(words, at, unset), prefix, statement, unset);
    }

    private static int SudoLength(IReadOnlyList<ShellWord> words, int at)
    {
        var length = 1;
        while (at + length < words.Count && words[at + length].Raw.StartsWith('-')) { length++; }
        return length;
    }

    private ShellCommand Command(
        List<SourcedText> words, List<ShellVariable> prefix, ShellStatement statement, List<(string Name, SourceSpan Span)> unset)
    {
        // `env A=b program`: the same as A=b before it.
        if (words.Count > 0 && words[0].Value == "env")
        {
            words.RemoveAt(0);
            while (words.Count > 0 && (words[0].Value.StartsWith('-') || words[0].Value.IndexOf('=', StringComparison.Ordinal) > 0))
            {
                var word = words[0];
                words.RemoveAt(0);
                var equals = word.Value.IndexOf('=', StringComparison.Ordinal);
                if (word.Value[0] == '-' || equals <= 0) { continue; }
                prefix.Add(new ShellVariable(word.Part(0, equals), word.Part(equals + 1, word.Value.Length - equals - 1), null, true, word.Span));
            }
        }
        EnvironmentSetting[] environment = [.. scope.Exported(), .. prefix.Where(variable => variable.Value is not null)
            .Select(variable => new EnvironmentSetting(variable.Name, variable.Value, variable.Span, EnvironmentOrigin.Shell))];
        return new ShellCommand(words, environment, scope, statement.Redirects, statement.Span, unset);
    }

    private List<SourcedText> Expand(IReadOnlyList<ShellWord> words, int from, List<(string Name, SourceSpan Span)> unset)
    {
        var expanded = new List<SourcedText>();
        for (var i = from; i < words.Count; i++) { scope.Expand(words[i], expanded, unset); }
        return expanded;
    }

    /// <summary>Handles what only changes the shell itself.</summary>
    private bool IsShellBuiltin(IReadOnlyList<ShellWord> words, int at, List<(string Name, SourceSpan Span)> unset)
    {
        switch (words[at].Raw)
        {
            case "export" or "declare" or "typeset" or "local" or "readonly":
                Declare(words, at, unset);
                return true;
            case "set":
                _exportsAll |= words.Skip(at + 1).Any(word => word.Raw is "-a" or "allexport");
                _exportsAll &= !words.Skip(at + 1).Any(word => word.Raw == "+a");
                return true;
            case "unset":
                foreach (var word in words.Skip(at + 1)) { scope.Unset(word.Raw); }
                return true;
            case "source" or ".":
                Source(words, at);
                return true;
            case "read" or "mapfile" or "readarray" or "getopts":
                foreach (var word in words.Skip(at + 1).Where(word => !word.Raw.StartsWith('-'))) { AssignUnknown(word); }
                return true;
            case "for" or "select":
                if (at + 1 < words.Count) { AssignUnknown(words[at + 1]); }
                return true;
            case ":":
                foreach (var word in words.Skip(at + 1)) { scope.Text(word, null); }   // what it requires is there from here on
                return true;
            case "case" or "esac" or "[" or "[[" or "test" or "echo" or "printf" or "cd" or "return" or "exit" or "trap" or "shift" or "wait" or "true" or "function":
                return true;
            default:
                return false;
        }
    }

    private void Source(IReadOnlyList<ShellWord> words, int at)
    {
        var settings = at + 1 < words.Count && find is not null ? find(scope.Text(words[at + 1], null).Value) : [];
        foreach (var setting in settings.Where(setting => setting.Value is not null))
        {
            scope.Assign(new ShellVariable(setting.Name, setting.Value, null, _exportsAll, setting.Span));
        }
        scope.IsOpen |= settings.Count == 0;
    }

    private void Declare(IReadOnlyList<ShellWord> words, int at, List<(string Name, SourceSpan Span)> unset)
    {
        var isExported = words[at].Raw == "export" || words.Skip(at + 1).TakeWhile(word => word.Raw.StartsWith('-')).Any(word => word.Raw.Contains('x', StringComparison.Ordinal));
        foreach (var word in words.Skip(at + 1).Where(word => !word.Raw.StartsWith('-')))
        {
            if (word.AssignedNameLength() > 0) { scope.Assign(Variable(word, isExported || _exportsAll, unset)); }
            else if (isExported) { scope.Export(word.Raw); }
        }
    }

    private void AssignUnknown(ShellWord word) =>
        scope.Assign(new ShellVariable(scope.Text(word, null), null, null, false, word.Span));

    private ShellVariable Variable(ShellWord word, bool isExported, List<(string Name, SourceSpan Span)> unset)
    {
        var length = word.AssignedNameLength();
        var text = scope.Text(word, unset);
        var isAppend = text.Value[length] == '+';
        var from = length + (isAppend ? 2 : 1);
        var name = text.Part(0, length);
        scope.Variables.TryGetValue(name.Value, out var old);
        if (word.Elements is { } elements)
        {
            var values = new List<SourcedText>(isAppend ? old?.Elements ?? [] : []);
            foreach (var element in elements) { scope.Expand(element, values, unset); }
            return new ShellVariable(name, null, values, isExported, word.Span);
        }
        var value = text.Part(from, text.Value.Length - from);
        return new ShellVariable(name, isAppend ? null : value, null, isExported, word.Span);
    }
}
