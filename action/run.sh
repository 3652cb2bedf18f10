#!/usr/bin/env bash
# Runs a command for the action: makes a plan, applies a saved one, or checks for drift.
set -euo pipefail

markdown=$RUNNER_TEMP/quorate-plan.md
export GH_REPO=$GITHUB_REPOSITORY
log=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID

common=()
[[ -z $FILE ]] || common+=(--file "$FILE")
while IFS= read -r argument; do
  [[ -z $argument ]] || common+=("$argument")
done <<< "$ARGUMENTS"

output() { printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"; }

# Makes a plan, with these arguments beside the common ones. Sets `code`: 0 without changes, 2 with changes, anything else if
# there is no valid plan. The Markdown exists if there is a plan, even a refused one.
plan() {
  rm -f "$markdown"
  code=0
  quorate plan --detailed-exitcode --markdown "$markdown" "$@" "${common[@]}" || code=$?
  if [[ -s $markdown ]]; then
    printf '\n[Log of this plan](%s), commit %s\n' "$log" "$GITHUB_SHA" >> "$markdown"
    cat "$markdown" >> "$GITHUB_STEP_SUMMARY"
    output markdown "$markdown"
  fi
  case $code in
    0) output changes false ;;
    2) output changes true ;;
  esac
}

# Prints the part of a list of the API that was written before for the same cluster: the first line of the Markdown names it.
ours() {
  MARKER=$(head -n 1 "$markdown")
  export MARKER
  local path=$1 field=$2 found
  found=$(gh api --paginate "$path" \
    --jq ".[] | select(.user.login == env.AUTHOR and ((.body // \"\") | startswith(env.MARKER))) | .$field")
  echo "${found%%$'\n'*}"
}

comment() {
  local comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments id
  id=$(ours "$comments" id)
  if [[ -n $id ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$markdown"
  else
    gh api --silent --method POST "$comments" --field "body=@$markdown"
  fi
}

# Downloads the saved plan of the pull request that the commit was merged by. Without one, there is no plan file.
fetch() {
  local head run
  rm -f "$PLAN_FILE"
  head=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].head.sha // ""')
  [[ -n $head ]] || return 0
  run=$(gh api "repos/$GITHUB_REPOSITORY/actions/workflows/$PLAN_WORKFLOW/runs?head_sha=$head&status=success" \
    --jq '.workflow_runs[0].id // ""')
  [[ -n $run ]] || return 0
  gh run download "$run" --name "$PLAN_ARTIFACT" --dir "$(dirname "$PLAN_FILE")" \
    || echo "::notice title=Quorate::the pull request has no saved plan, or it was deleted"
}

run_plan() {
  plan --out "$PLAN_FILE"
  [[ -z $PULL_REQUEST || ! -s $markdown ]] || comment
  [[ $code == 2 ]] || return "$code"
}

run_apply() {
  [[ -z $PLAN_WORKFLOW ]] || fetch
  code=4
  if [[ -e $PLAN_FILE ]]; then
    code=0
    quorate apply "$PLAN_FILE" "${common[@]}" || code=$?
  fi
  if [[ $code != 4 || $IF_REFUSED != plan ]]; then
    output refused false
    return "$code"
  fi
  echo "::warning title=Quorate::the saved plan was refused or is missing, and nothing was changed: a new plan is in the summary"
  output refused true
  plan --out "$PLAN_FILE"
  [[ $code == 2 ]] || return "$code"
}

run_drift() {
  plan
  [[ -s $markdown ]] || return "$code"
  local issues=repos/$GITHUB_REPOSITORY/issues number cluster
  number=$(ours "$issues?state=open" number)
  read -r _ _ cluster _ < "$markdown"
  case $code:$number in
    2:) gh api --silent --method POST "$issues" --field "title=$cluster differs from its file" --field "body=@$markdown" ;;
    2:*) gh api --silent --method PATCH "$issues/$number" --field "body=@$markdown" ;;
    0:) ;;
    0:*)
      gh api --silent --method POST "$issues/$number/comments" --field "body=The cluster is as its file describes it: $log"
      gh api --silent --method PATCH "$issues/$number" --field state=closed
      ;;
  esac
  [[ $code == 2 ]] || return "$code"
}

case $COMMAND in
  plan) run_plan ;;
  apply) run_apply ;;
  drift) run_drift ;;
  *)
    echo "::error title=Quorate::the command must be plan, apply or drift, not $COMMAND"
    exit 64
    ;;
esac
