"""Grading: students' code in processes of its own, the tests in one that it cannot touch.

wire        values as plain data, between the two
isolation   what a student's process can reach, and its limits
absent      what is not there while students' code runs
watch       processor time, and what is called of cliplab
cells       a notebook's cells, and the names as each answer's cell left them
worker      what runs in a student's process
zygote      one process with torch ready, from which students' processes are forked
student     the grader's handle on it
submission  which notebooks were handed in, and their cells
runner      a submission's cells and functions, started again when its process dies
result      what grading one submission gives, as plain data
remarks     which cell answers, and what a person should know
grade       the master's tests on it
many        two hundred of them in parallel, killed and resumed
report      grades.csv, grades.json, feedback
command     `python -m classroom grade`
"""
